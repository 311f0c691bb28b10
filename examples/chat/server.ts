// A chat: a page and its WebSocket on one port, rooms, names, and who is online, in several processes. On one machine all of
// it is this program; in a cluster gateway.ts and business.ts are two servers made of the same two parts.
//
//   longshore start examples/chat/server.ts       then open http://127.0.0.1:8080 in two windows
//   longshore reload examples/chat/server.ts      after a change of rooms.ts: nobody is disconnected
import { Worker } from 'longshore';
import './edge.ts';
import './rooms.ts';

await Worker.runAll();
