// The program of the global data server that a master runs by itself. Where it listens is said from outside.
import { Worker } from '../worker.ts';
import { GlobalDataServer } from './server.ts';

new GlobalDataServer();
await Worker.runAll();
