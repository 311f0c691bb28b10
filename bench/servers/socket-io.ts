// A Socket.IO server that tells all what one says. It is not a dependency: FROM names the folder it is installed in.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

type SocketIo = {
  readonly Server: new (
    http: object,
    options: object,
  ) => {
    on(event: 'connection', handler: (socket: Client) => void): void;
    emit(event: string, text: string): void;
  };
};
type Client = { on(event: string, handler: (text: string) => void): void };

const from = createRequire(join(process.env['FROM'] ?? '.', 'package.json'));
const { Server } = from('socket.io') as SocketIo;
const http = createServer();
// The load generator does not answer heartbeats, so there are none.
const io = new Server(http, { transports: ['websocket'], pingInterval: 3_600_000 });
io.on('connection', (socket) => {
  socket.on('say', (text) => io.emit('message', text));
});
http.listen(0, '127.0.0.1', () => console.log(`listening ${(http.address() as AddressInfo).port}`));
