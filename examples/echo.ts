// Echo: what a client sends comes back, over any scheme. Text stays text and binary stays binary. Benchmarks and
// conformance suites are pointed at this program, so nothing stands between `onMessage` and `send`.
//
//     npx longshore start examples/echo.ts
//     LISTEN=text://0.0.0.0:2346 COUNT=4 npx longshore start examples/echo.ts
//
// Try it, by scheme:
//
//     websocket   npx wscat -c ws://127.0.0.1:2346          wss: npx wscat -n -c wss://127.0.0.1:2346
//     tcp, text   nc 127.0.0.1 2346                         TLS: openssl s_client -quiet -connect 127.0.0.1:2346
//     udp         nc -u 127.0.0.1 2346
//     unix        nc -U /tmp/echo.sock                      with LISTEN=unix:///tmp/echo.sock
//     http        curl http://127.0.0.1:2346                answers "hello"
//
// Environment: LISTEN   address; schemes: tcp udp unix text frame websocket http (default websocket://0.0.0.0:2346)
//              COUNT    processes (default 1)
//              SSL_CERT, SSL_KEY   PEM files; with both it speaks TLS: wss, https …
//              DEFLATE  1: agree to permessage-deflate (WebSocket only)
import { Worker } from 'longshore';

const LISTEN = process.env['LISTEN'] ?? 'websocket://0.0.0.0:2346';
const COUNT = Number(process.env['COUNT'] ?? 1);
const { SSL_CERT: cert, SSL_KEY: key, DEFLATE } = process.env;

const echo = new Worker(LISTEN, {
  name: 'echo',
  count: COUNT,
  ...(cert && key ? { ssl: { cert, key } } : {}),
  websocket: { deflate: DEFLATE === '1' },
  // The longest message that the Autobahn suite sends.
  maxPackageSize: 16_777_216,
});

echo.onMessage =
  echo.address?.scheme === 'http'
    ? (connection) => connection.send('hello')
    : (connection, message) => connection.send(message);

// Who sends without reading is not read from until his answers are gone; otherwise some of them would be dropped.
echo.onBufferFull = (connection) => connection.pauseRecv();
echo.onBufferDrain = (connection) => connection.resumeRecv();

await Worker.runAll();
