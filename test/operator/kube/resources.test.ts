import { describe, expect, it } from '@jest/globals';
import {
  keyOf,
  type Place,
  path,
  type Resource,
  refOf,
  resourceOf,
  resources,
} from '../../../operator/kube/resources.ts';

describe('path', () => {
  it.each<[Resource, Place, string]>([
    [resources.Pod, {}, '/api/v1/pods'],
    [resources.Pod, { namespace: 'n' }, '/api/v1/namespaces/n/pods'],
    [resources.Pod, { namespace: 'n', name: 'a' }, '/api/v1/namespaces/n/pods/a'],
    [
      resources.SocketServer,
      { namespace: 'n', name: 'a', subresource: 'status' },
      '/apis/longshore.dev/v1alpha1/namespaces/n/socketservers/a/status',
    ],
    [resources.Event, { namespace: 'n' }, '/apis/events.k8s.io/v1/namespaces/n/events'],
    [resources.Node, { namespace: 'ignored', name: 'a' }, '/api/v1/nodes/a'],
    [resources.Namespace, { name: 'n' }, '/api/v1/namespaces/n'],
    [resources.Pod, { namespace: '../x', name: 'a?b' }, '/api/v1/namespaces/..%2Fx/pods/a%3Fb'],
  ])('%j %j', (resource, place, expected) => {
    expect(path(resource, place)).toBe(expected);
  });
});

describe('resourceOf', () => {
  it('finds every kind by what its objects say', () => {
    for (const resource of Object.values(resources)) {
      const { group, version, kind } = resource;
      const apiVersion = group === '' ? version : `${group}/${version}`;
      expect(resourceOf({ apiVersion, kind })).toBe(resource);
    }
  });

  it('goes by group, not by kind alone', () => {
    expect(() => resourceOf({ apiVersion: 'v1', kind: 'Event' })).toThrow(RangeError);
  });
});

describe('refOf and keyOf', () => {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'n', name: 'a' } };

  it('say where an object is', () => {
    expect(refOf(node)).toEqual({ resource: resources.Node, namespace: undefined, name: 'a' });
    expect(refOf(pod)).toEqual({ resource: resources.Pod, namespace: 'n', name: 'a' });
    expect([keyOf(node), keyOf(pod)]).toEqual(['/a', 'n/a']);
  });
});
