// Gateways and BusinessWorkers, one process of each: what a client says comes back to it.
import { BusinessWorker, Gateway, Worker } from 'longshore';

new Gateway(process.env['LISTEN'] ?? 'websocket://127.0.0.1:0', { name: 'gateway' });
const business = new BusinessWorker({ name: 'business' });
business.onMessage = (client, message) => void client.send(message);
await Worker.runAll();
