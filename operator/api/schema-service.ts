import { map, record, type Schema, telling, text } from './json-schema.ts';

/** `service` of the spec. Pure. */
export const service: Schema = record(
  'The Service in front of the pods. It has one port for each worker with an address.',
  {
    type: text('None: no Service is made.', {
      enum: ['ClusterIP', 'NodePort', 'LoadBalancer', 'None'],
      default: 'ClusterIP',
    }),
    annotations: map(
      'For the Service, as load balancers want them.',
      text('', { maxLength: 4096 }),
      {
        default: {},
        maxProperties: 64,
      },
    ),
    externalTrafficPolicy: text(
      'Local keeps the client address and takes only pods of the node that was reached.',
      {
        enum: ['Cluster', 'Local'],
      },
    ),
    loadBalancerClass: text('Which load balancer implementation.', { maxLength: 256 }),
  },
  {
    default: {},
    'x-kubernetes-validations': [
      telling(
        "!has(self.externalTrafficPolicy) || self.type in ['NodePort', 'LoadBalancer']",
        "'service.externalTrafficPolicy needs type NodePort or LoadBalancer, type is ' + self.type",
        'service.externalTrafficPolicy needs type NodePort or LoadBalancer',
      ),
      telling(
        "!has(self.loadBalancerClass) || self.type == 'LoadBalancer'",
        "'service.loadBalancerClass needs type LoadBalancer, type is ' + self.type",
        'service.loadBalancerClass needs type LoadBalancer',
      ),
    ],
  },
);
