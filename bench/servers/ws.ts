// The same jobs done with `ws`, as its own README does them: `node ws.ts echo` or `node ws.ts broadcast`.
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

const job = process.argv[2];
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });

server.on('connection', (socket) => {
  socket.on('error', console.error);
  if (job === 'broadcast')
    socket.on('message', (data) => {
      const text = data.toString();
      for (const each of server.clients) each.send(text);
    });
  else socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on('listening', () => console.log(`listening ${(server.address() as AddressInfo).port}`));
