export {};

process.env['LONGSHORE_TRANSPORT'] = 'stream';
const { websocketSuite } = await import('./websocket-suite.ts');

websocketSuite('a Node stream');
