// A protocol of one's own: JSON behind a length. The manual calls it JsonInt.
//
//     uint32 big-endian total length, these 4 bytes included | JSON in UTF-8
//     {"a":1} ⇒ 00 00 00 0b 7b 22 61 22 3a 31 7d
//
// `packages` makes a protocol of three functions: `input` says where a message ends, `decode` and `encode` what is in
// it. However TCP cuts the stream, `onMessage` gets whole values.
//
//     npx longshore start examples/json-protocol.ts
//
// Try it (end with Ctrl+C):
//
//     printf '\000\000\000\013{"a":1}' | nc 127.0.0.1 2347
//
// Environment: PORT (default 2347)
import { packages, Worker } from 'longshore';

const PORT = Number(process.env['PORT'] ?? 2347);
const HEAD = 4;

const jsonInt = packages<unknown, unknown>({
  name: 'json-int',

  // 0: not enough bytes to tell. Negative: not our format, the connection ends. A length above the Worker's
  // maxPackageSize is refused by the framework, before memory is spent on it.
  input(buffer) {
    if (buffer.length < HEAD) return 0;
    const total = buffer.readUInt32BE(0);
    return total > HEAD ? total : -1;
  },

  // Exactly one message. What is thrown here, for broken JSON too, ends the connection as well.
  decode: (bytes) => JSON.parse(bytes.toString('utf8', HEAD)),

  encode(value) {
    const json = Buffer.from(JSON.stringify(value));
    const head = Buffer.alloc(HEAD);
    head.writeUInt32BE(HEAD + json.length);
    return Buffer.concat([head, json]);
  },
});

const server = new Worker(`tcp://0.0.0.0:${PORT}`, { name: 'json', protocol: jsonInt });

server.onMessage = (connection, value) => connection.send({ received: value });

server.onError = (connection, code, message) =>
  console.log(`${connection.getRemoteAddress()}: ${code}, ${message}`);

await Worker.runAll();
