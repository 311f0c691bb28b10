import { expect, it } from '@jest/globals';

process.env['LONGSHORE_TRANSPORT'] = 'stream';
const { usesHandles } = await import('../../src/transport/sockets.ts');
const { lifeSuite } = await import('./life-suite.ts');
const { sendSuite } = await import('./send-suite.ts');

it('uses streams when told to', () => {
  expect(usesHandles).toBe(false);
});

sendSuite('a Node stream');
lifeSuite('a Node stream');
