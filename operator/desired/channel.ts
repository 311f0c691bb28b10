import { CHANNEL_PORT, CHANNEL_SERVER, ENV } from '../../src/contract.ts';
import { complete, completeChannel } from '../api/defaults.ts';
import type { ChannelServer, SocketServer, SocketServerSpec } from '../api/types.ts';

/**
 * A ChannelServer as the SocketServer that the rest of the operator knows: the program of the channel server in the
 * image, with one Worker, which has the pods of its own object as peers. Its kind stays, and says how its objects are
 * called and who owns them. Pure.
 */

/** Where `FROM longshore` puts it. */
const PROGRAM = '/node_modules/longshore/dist/src/channel/main.js';

export function channelAsServer(channel: ChannelServer): SocketServer {
  const full = completeChannel(channel);
  const { apiVersion, kind, metadata, status, spec } = full;
  const { imagePullPolicy, imagePullSecrets, resources, drain, rollout, tuning, podTemplate } =
    spec;
  const builtin = spec.engine === 'builtin';
  const part: Partial<SocketServerSpec> = {
    replicas: builtin ? spec.replicas : 0,
    // Without pods there is nothing to pull; a name that says so, should somebody look.
    image: spec.image ?? 'none',
    app: PROGRAM,
    workers: [{ name: CHANNEL_SERVER, listen: `tcp://0.0.0.0:${CHANNEL_PORT}` }],
    env: [
      { name: ENV.member, valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: ENV.channelHistory, value: String(spec.history.maxBytes) },
    ],
    ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
    ...(builtin
      ? { channelRef: { name: metadata.name } }
      : { service: { type: 'None', annotations: {} } }),
    resources,
    drain,
    rollout,
    tuning,
    podTemplate,
  };
  return complete({
    apiVersion,
    kind,
    metadata,
    spec: part as SocketServerSpec,
    ...(status ? { status } : {}),
  });
}
