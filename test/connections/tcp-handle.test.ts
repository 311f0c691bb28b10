import { expect, it } from '@jest/globals';
import { usesHandles } from '../../src/transport/sockets.ts';
import { lifeSuite } from './life-suite.ts';
import { sendSuite } from './send-suite.ts';

it('uses libuv handles on this Node', () => {
  expect(usesHandles).toBe(true);
});

sendSuite('a libuv handle');
lifeSuite('a libuv handle');
