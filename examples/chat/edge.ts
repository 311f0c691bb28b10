// What holds the clients of the chat: the page and its WebSocket on one port. There is no word about chatting here, so
// this part hardly ever has to be deployed again, and clients stay connected through every change of rooms.ts.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Gateway, Response, staticFiles } from 'longshore';

const PORT = Number(process.env['PORT'] ?? 8080);

const edge = new Gateway(`websocket://[::]:${PORT}`, {
  name: 'chat',
  count: Number(process.env['GATEWAYS'] ?? 2),
  maxPackageSize: 16_384,
  limits: { messagesPerSecond: 20 },
  heartbeat: { ping: 25, idle: 60 },
});

edge.onWorkerStart = () => {
  if (edge.id === 0) console.log(`the chat is at http://127.0.0.1:${PORT}`);
};

// The page, and the script that reconnects, which the framework brings along.
const page = staticFiles(fileURLToPath(new URL('public', import.meta.url)));
const script = browserScript();
edge.onRequest = (connection, request) => {
  if (!request.path.startsWith('/longshore/')) return page(connection, request);
  const source = script.get(request.path);
  const headers = { 'content-type': 'text/javascript' };
  return connection.send(
    source === undefined
      ? new Response('404\n', { status: 404 })
      : new Response(source, { headers }),
  );
};

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
      const plain = isSource ? stripTypeScriptTypes(source).replaceAll(".ts';", ".js';") : source;
      return [`/longshore/${name}`, plain];
    }),
  );
}
