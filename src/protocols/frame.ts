import { ProtocolError } from '../errors.ts';
import { packages } from './packages.ts';
import { bytesOf, type Protocol } from './protocol.ts';

const HEAD = 4;

/**
 * Length-prefixed binary messages.
 *
 *     uint32 big-endian total length, these 4 bytes included | payload
 *     hello ⇒ 00 00 00 09 68 65 6c 6c 6f        '' ⇒ 00 00 00 04
 *
 * A length below 4 or above `maxPackageSize` is refused as soon as the four bytes are there.
 */
export const frame: Protocol<Buffer, string | Uint8Array> = packages({
  name: 'frame',
  input(buffer) {
    if (buffer.length < HEAD) return 0;
    const total = buffer.readUInt32BE(0);
    if (total < HEAD) {
      throw new ProtocolError(
        'LENGTH_TOO_SHORT',
        `length field says ${total} bytes, at least ${HEAD}`,
      );
    }
    return total;
  },
  decode: (bytes) => Buffer.from(bytes.subarray(HEAD)),
  encode(message: string | Uint8Array) {
    const payload = bytesOf(message);
    const bytes = Buffer.allocUnsafe(HEAD + payload.length);
    bytes.writeUInt32BE(bytes.length, 0);
    bytes.set(payload, HEAD);
    return bytes;
  },
});
