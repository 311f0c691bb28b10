import type { DataEngine, EngineEvents, EngineOptions } from './engine.ts';
import { NativeEngine } from './native.ts';
import { isRedisAddress, redisPlace } from './redis-words.ts';

/**
 * The engine for an address. Ours is there at once; one that needs another package is loaded first.
 *
 * @throws {TypeError} `GLOBALDATA_INVALID` for an address that no engine speaks
 */
export function engineFor(
  address: string,
  events: EngineEvents,
  options: EngineOptions,
): DataEngine | Promise<DataEngine> {
  if (isRedisAddress(address)) {
    // What is wrong with it is told at once.
    redisPlace(address);
    return import('./redis.ts').then(
      ({ RedisEngine }) => new RedisEngine(address, events, options),
    );
  }
  return new NativeEngine(address, events, options);
}
