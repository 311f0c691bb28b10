import { bytesOf, type Decoder, type Protocol } from './protocol.ts';

/** No framing: each chunk as it arrives. What `tcp://` and `unix://` speak. */
export const raw: Protocol<Buffer, string | Uint8Array> = {
  name: 'raw',
  decoder: () => chunks,
  encode: bytesOf,
};

// Has no state, so all connections share it.
const chunks: Decoder<Buffer> = {
  error: undefined,
  held: 0,
  push: (chunk) => [Buffer.from(chunk)],
};
