import type { Schema } from './json-schema.ts';
import { specSchema } from './schema.ts';
import { channelSpecSchema } from './schema-channel.ts';
import type { ChannelServer, ChannelServerSpec, SocketServer, SocketServerSpec } from './types.ts';

/**
 * A value with the defaults of its schema, as the API server puts them in: an absent field with a default gets it, and
 * then its own fields get theirs; null is absent. Pure. For objects of a CRD that was younger than their defaults, and for tests.
 */
export function defaulted(schema: Schema, value: unknown): unknown {
  const given = value ?? schema.default;
  if (Array.isArray(given))
    return given.map((each) => (schema.items ? defaulted(schema.items, each) : each));
  if (typeof given !== 'object' || given === null || !schema.properties) return given;
  const full: Record<string, unknown> = { ...given };
  for (const [name, each] of Object.entries(schema.properties)) {
    const filled = defaulted(each, full[name]);
    if (filled === undefined) delete full[name];
    else full[name] = filled;
  }
  return full;
}

/** The object with a full spec. */
export function complete(server: SocketServer): SocketServer {
  return { ...server, spec: defaulted(specSchema, server.spec) as SocketServerSpec };
}

/** The same of a ChannelServer. */
export function completeChannel(server: ChannelServer): ChannelServer {
  return { ...server, spec: defaulted(channelSpecSchema, server.spec) as ChannelServerSpec };
}
