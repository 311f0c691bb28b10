// The program of the channel server that a master runs by itself; the master says where it listens.
import { Worker } from '../worker.ts';
import { ChannelServer } from './server.ts';

new ChannelServer();
await Worker.runAll();
