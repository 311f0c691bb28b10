// A chat in several processes: the page and its WebSocket on one port, rooms, names, and who is online.
//
// A client's connection lives in one process, so what is said in a room travels through a channel of that room to all
// processes that have somebody in it. Who is online is known the same way: see presence.ts.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ChannelClient, Response, staticFiles, type TcpConnection, Worker } from 'longshore';
import { Presence } from './presence.ts';

const PORT = Number(process.env['PORT'] ?? 8080);
const COUNT = Number(process.env['COUNT'] ?? 4);
const TEXT_MAX = 2000;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,23}$/u;

declare module 'longshore' {
  interface Context {
    name?: string;
    room?: string;
  }
}

const chat = new Worker(`websocket://[::]:${PORT}`, {
  name: 'chat',
  count: COUNT,
  maxPackageSize: 16_384,
  limits: { messagesPerSecond: 20 },
  heartbeat: { ping: 25, idle: 60 },
});

const channel = new ChannelClient();
const presence = new Presence(channel, (room) =>
  toRoom(room, { type: 'people', people: presence.in(room) }),
);

chat.onWorkerStart = () => {
  channel.connect();
  presence.start(`${process.pid}-${chat.id}`);
  if (chat.id === 0) console.log(`the chat is at http://127.0.0.1:${PORT}`);
};
chat.onWorkerStop = () => presence.stop();

chat.onMessage = (connection, data) => {
  const message = parsed(data);
  if (message?.type === 'join') join(connection, message);
  else if (message?.type === 'say') say(connection, message);
  else tell(connection, { type: 'error', text: 'expected {"type":"join"|"say", …}' });
};

chat.onClose = (connection) => leave(connection);

// The page, and the script that reconnects, which the framework brings along.
const page = staticFiles(fileURLToPath(new URL('public', import.meta.url)));
const script = browserScript();
chat.onRequest = (connection, request) => {
  if (!request.path.startsWith('/longshore/')) return page(connection, request);
  const source = script.get(request.path);
  const headers = { 'content-type': 'text/javascript' };
  return connection.send(
    source === undefined
      ? new Response('404\n', { status: 404 })
      : new Response(source, { headers }),
  );
};

await Worker.runAll();

type Client = TcpConnection<string | Buffer, string | Uint8Array>;
type Incoming = { type?: unknown; name?: unknown; room?: unknown; text?: unknown };

function parsed(data: string | Buffer): Incoming | undefined {
  try {
    const value: unknown = JSON.parse(String(data));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function join(connection: Client, { name, room }: Incoming): void {
  if (
    typeof name !== 'string' ||
    !NAME.test(name) ||
    typeof room !== 'string' ||
    !NAME.test(room)
  ) {
    tell(connection, {
      type: 'error',
      text: 'a name and a room have 1 to 24 letters, digits, spaces, dots or dashes',
    });
    return;
  }
  leave(connection);
  Object.assign(connection.context, { name, room });
  channel.on(`room:${room}`, (message) => toRoom(room, message));
  tell(connection, { type: 'joined', room, name, process: `${process.pid}` });
  presence.join(room, name);
}

function say(connection: Client, { text }: Incoming): void {
  const { name, room } = connection.context;
  const refusal = whyNot(room, text);
  if (refusal !== undefined) {
    tell(connection, { type: 'error', text: refusal });
    return;
  }
  const sent = channel.publish(`room:${room}`, { type: 'say', name, text, at: Date.now() });
  if (sent === false)
    tell(connection, { type: 'error', text: 'not sent: the channel is overloaded' });
}

function whyNot(room: string | undefined, text: unknown): string | undefined {
  if (room === undefined) return 'join a room first';
  const good = typeof text === 'string' && text.trim() !== '' && text.length <= TEXT_MAX;
  return good ? undefined : `a message has 1 to ${TEXT_MAX} characters`;
}

function leave(connection: Client): void {
  const { name, room } = connection.context;
  if (name === undefined || room === undefined) return;
  Object.assign(connection.context, { name: undefined, room: undefined });
  presence.leave(room, name);
  if (![...chat.connections.values()].some(({ context }) => context.room === room))
    channel.unsubscribe(`room:${room}`);
}

/** To everybody of a room in this process. */
function toRoom(room: string, message: unknown): void {
  const text = JSON.stringify(message);
  for (const each of chat.connections.values()) if (each.context.room === room) each.send(text);
}

function tell(connection: Client, message: object): void {
  connection.send(JSON.stringify(message));
}

/** `longshore/browser` and what it imports, as scripts for the page; from the sources their types are taken out. */
function browserScript(): Map<string, string> {
  const browser = new URL(import.meta.resolve('longshore/browser'));
  const isSource = browser.pathname.endsWith('.ts');
  const files = ['browser', 'reconnect'].map(
    (name) => new URL(isSource ? `${name}.ts` : `${name}.js`, browser),
  );
  return new Map(
    files.map((file) => {
      const source = readFileSync(file, 'utf8');
      const name = file.pathname.slice(file.pathname.lastIndexOf('/') + 1).replace(/\.ts$/, '.js');
      const script = isSource ? stripTypeScriptTypes(source).replaceAll(".ts';", ".js';") : source;
      return [`/longshore/${name}`, script];
    }),
  );
}
