// A client that stays connected: a Worker without an address listens nowhere, it only runs `onWorkerStart`.
//
// When the connection is lost, or cannot be made at first, `onClose` is called, and `reconnect` tries again after a
// pause. The pause has a random part, so that many clients of one server do not come back in the same instant.
//
//     npx longshore start examples/echo.ts
//     npx longshore start examples/websocket-client.ts
//
// Try it: stop the echo program and start it again.
//
// Environment: URL    ws:// or wss:// (default ws://127.0.0.1:2346)
//              DELAY  seconds before the next attempt, at least (default 1)
import { AsyncTcpConnection, Timer, Worker } from 'longshore';

const ADDRESS = process.env['URL'] ?? 'ws://127.0.0.1:2346';
const DELAY = Number(process.env['DELAY'] ?? 1);

const client = new Worker({ name: 'client' });

client.onWorkerStart = () => {
  const server = new AsyncTcpConnection<string | Buffer, string | Uint8Array>(ADDRESS);

  // The handshake is through; `onConnect` would come before it.
  server.onWebSocketConnect = () => {
    console.log(`connected to ${ADDRESS}`);
    server.send('hello');
  };
  server.onMessage = (_, message) => console.log(`received: ${message}`);
  server.onError = (_, code, message) => console.log(`${code}: ${message}`);
  server.onClose = () => {
    const seconds = DELAY * (1 + Math.random());
    console.log(`not connected, next attempt in ${seconds.toFixed(2)} s`);
    server.reconnect(seconds);
  };
  server.connect();

  // Routers forget connections on which nothing happens for a minute.
  Timer.add(30, () => server.ping());

  // The server is told that we leave for good.
  client.onWorkerStop = () => {
    server.onClose = undefined;
    server.close();
  };
};

await Worker.runAll();
