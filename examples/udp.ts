// UDP: each datagram is one message, and `connection` is the way back to where it came from. There is nothing behind
// it: no onConnect, no onClose, and neither a datagram nor its answer is promised to arrive.
//
//     npx longshore start examples/udp.ts
//
// Try it:
//
//     nc -u 127.0.0.1 2348
//
// Environment: PORT (default 2348), COUNT (processes, default 1)
import { Worker } from 'longshore';

const PORT = Number(process.env['PORT'] ?? 2348);
const COUNT = Number(process.env['COUNT'] ?? 1);

const server = new Worker(`udp://0.0.0.0:${PORT}`, { name: 'udp', count: COUNT });

// The kernel chooses a process by the sender's address and port, so one sender always talks to the same process.
server.onMessage = (connection, datagram) => {
  const from = connection.getRemoteAddress();
  connection.send(`${datagram.length} bytes from ${from}: ${datagram}`);
};

await Worker.runAll();
