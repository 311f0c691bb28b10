// Push from another program: WebSocket clients say who they are, and any program of this machine can send to a user.
//
// The clients are connections of one process, so what is to reach them must be known in that process. It opens a
// second, inner port with `listen()`; one line of JSON on it is one message to one user. For more processes than one
// see cluster-push.ts.
//
//     npx longshore start examples/push.ts
//
// Try it: say your name, for example "ann"; then push from another terminal.
//
//     npx wscat -c ws://127.0.0.1:2351
//     echo '{"uid":"ann","text":"hello"}' | nc 127.0.0.1 5678
//
// Environment: PORT (default 2351), INNER_PORT (default 5678)
import { type TcpConnection, Worker } from 'longshore';

const PORT = Number(process.env['PORT'] ?? 2351);
const INNER_PORT = Number(process.env['INNER_PORT'] ?? 5678);

declare module 'longshore' {
  interface Context {
    uid?: string;
  }
}

/** Each user's connections: he may have several pages open. */
const users = new Map<string, Set<TcpConnection>>();

const push = new Worker(`websocket://0.0.0.0:${PORT}`, { name: 'push', count: 1 });

// On 127.0.0.1, because whoever reaches this port may send to everybody.
push.onWorkerStart = async () => {
  const inner = new Worker(`text://127.0.0.1:${INNER_PORT}`);
  inner.onMessage = (connection, line) => {
    const { uid, text } = JSON.parse(line) as { uid: string; text: string };
    const clients = users.get(uid);
    for (const each of clients ?? []) each.send(text);
    connection.send(clients ? 'ok' : `${uid} is not here`);
  };
  await inner.listen();
};

// The first message is the user's id. A real program would ask for a proof, such as a signed token.
push.onMessage = (connection, message) => {
  const { context } = connection;
  if (context.uid !== undefined) return;
  context.uid = String(message);
  const clients = users.get(context.uid) ?? new Set();
  users.set(context.uid, clients.add(connection));
  connection.send(`welcome ${context.uid}`);
};

push.onClose = (connection) => {
  const { uid = '' } = connection.context;
  const clients = users.get(uid);
  if (clients?.delete(connection) && clients.size === 0) users.delete(uid);
};

await Worker.runAll();
