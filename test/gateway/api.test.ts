import { afterEach, describe, expect, it } from '@jest/globals';
import type { BusinessWorker } from '../../src/gateway/business-worker.ts';
import { Scene } from './scene.ts';

let scene: Scene;
afterEach(() => scene.end());

describe('a round trip', () => {
  it('goes from the client to a BusinessWorker and back', async () => {
    scene = await Scene.open({ gateways: 1 });
    const business = scene.business((worker: BusinessWorker) => {
      worker.onMessage = (client, message) => client.send(`you said ${message}`);
    });
    await business.listen();
    const client = await scene.client(0);
    client.send('hello\n');
    expect(await client.line()).toBe('you said hello');
  });
});
