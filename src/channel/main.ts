// The program of the channel servers that a master runs by itself, and of those that the operator makes. Where it
// listens is said from outside.
import { ENV } from '../contract.ts';
import { Worker } from '../worker.ts';
import { ChannelServer } from './server.ts';

const bytes = process.env[ENV.channelHistory];
new ChannelServer(undefined, bytes ? { historyBytes: Number(bytes) } : {});
await Worker.runAll();
