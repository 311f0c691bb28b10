// What one client says, all get: started with `longshore start`.
import { Worker } from 'longshore';

const server = new Worker(process.env['LISTEN'] ?? 'websocket://127.0.0.1:0', {
  name: 'broadcast',
});

server.onMessage = (_, message) => {
  for (const each of server.connections.values()) each.send(message);
};

await Worker.runAll();
