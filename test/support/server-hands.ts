import { inputsOf } from '../../operator/decide/inputs.ts';
import type { ObjectAction, PodAction } from '../../operator/decide/view.ts';
import { countsOf, type WorldPod } from './server-pods.ts';
import type { ServerWorld } from './server-world.ts';

/** What an action does to a `ServerWorld`, as `operator/reconcile/act.ts` does it to a cluster. */

export function act(world: ServerWorld, action: ObjectAction | PodAction): void {
  switch (action.do) {
    case 'create-set':
      // The API server refuses a second one of that name.
      if (world.sets.has(action.revision)) break;
      world.sets.set(action.revision, {
        name: action.revision,
        revision: action.revision,
        number: action.number,
        replicas: action.replicas,
        inputs: inputsOf(world.server.spec),
        skipped: {},
      });
      break;
    case 'scale-set': {
      const set = world.sets.get(action.set);
      if (set) set.replicas = action.replicas;
      break;
    }
    case 'number-set': {
      const set = world.sets.get(action.set);
      if (set) set.number = action.number;
      break;
    }
    case 'peers': {
      const pod = world.pods.get(action.pod);
      const version = world.peers?.now?.version;
      if (pod && version !== undefined) pod.answer.peers = version;
      break;
    }
    case 'delete-set':
      world.sets.delete(action.set);
      break;
    case 'event':
      break;
    default: {
      const pod = world.pods.get(action.pod);
      if (pod) onPod(world, pod, action);
    }
  }
}

type On = Extract<ObjectAction | PodAction, { readonly pod: string }>;

function onPod(world: ServerWorld, pod: WorldPod, action: On): void {
  switch (action.do) {
    case 'open':
    case 'close':
      pod.open = action.do === 'open';
      break;
    case 'mark':
      pod.going = action.going;
      break;
    case 'adopt':
      pod.reloadedFor = action.want;
      break;
    case 'drain':
      pod.drainSince ??= world.now;
      if (!pod.mute) {
        pod.closesAt ??= world.now;
        pod.answer.phase = 'held';
      }
      break;
    case 'undrain':
      if (!pod.mute) undrain(world, pod);
      break;
    case 'config':
      if (!pod.mute) pod.answer.config = world.config;
      break;
    case 'reload':
      if (!pod.mute) reload(world, pod, action.want);
      break;
    default:
  }
}

function undrain(world: ServerWorld, pod: WorldPod): void {
  delete pod.drainSince;
  delete pod.closesAt;
  pod.going = false;
  pod.bornAt = world.now;
  pod.answer.phase = 'running';
}

/** It takes no time; a program that does not load leaves the processes as they are. */
function reload(world: ServerWorld, pod: WorldPod, want: string): void {
  const { code } = world;
  pod.reloadedFor = want;
  if (code !== undefined && world.badCode.has(code)) {
    pod.answer.reload = { state: 'failed', reason: 'SyntaxError: server.ts:3' };
    return;
  }
  if (code !== undefined) pod.answer.code = code;
  pod.answer.counts = countsOf(world);
  pod.answer.reload = { state: 'done' };
}
