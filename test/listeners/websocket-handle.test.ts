import { websocketSuite } from './websocket-suite.ts';

websocketSuite('a libuv handle');
