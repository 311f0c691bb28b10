// The same jobs done by Bun's own server: `bun bun.ts echo` or `bun bun.ts broadcast`, the latter with its topics.

type Socket = {
  send(message: string | Uint8Array): number;
  subscribe(topic: string): void;
};
type Server = {
  readonly port: number;
  upgrade(request: Request): boolean;
  publish(topic: string, message: string | Uint8Array): number;
};
declare const Bun: {
  readonly argv: readonly string[];
  serve(options: {
    hostname: string;
    port: number;
    fetch(request: Request, server: Server): Response | undefined;
    websocket: {
      open(socket: Socket): void;
      message(socket: Socket, message: string | Uint8Array): void;
    };
  }): Server;
};

const ALL = 'all';
const job = Bun.argv[2];
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: (request, self) =>
    self.upgrade(request) ? undefined : new Response('not a WebSocket', { status: 400 }),
  websocket:
    job === 'broadcast'
      ? {
          open: (socket) => socket.subscribe(ALL),
          message: (_, message) => void server.publish(ALL, message),
        }
      : { open: () => {}, message: (socket, message) => void socket.send(message) },
});
console.log(`listening ${server.port}`);
