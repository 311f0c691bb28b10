// A channel server, as a program makes it that others reach from outside: started with `longshore start`.
import { ChannelServer, Worker } from 'longshore';

// The load generator gives no signs of life between its rounds.
new ChannelServer('127.0.0.1:0', { heartbeat: 600 });

await Worker.runAll();
