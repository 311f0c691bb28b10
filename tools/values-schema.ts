import type { Schema } from '../operator/api/json-schema.ts';
import { specSchema } from '../operator/api/schema.ts';
import { channelSpecSchema } from '../operator/api/schema-channel.ts';

/**
 * values.schema.json of charts/socket-server: the spec's schema as helm can read it, and the chart's own values. Rules in
 * CEL stay with the API server. Unknown fields are refused here, where the API server would drop them.
 */

type Json = { readonly [key: string]: unknown };

const texts: Json = { type: 'object', additionalProperties: { type: 'string' } };
const whole = (minimum: number, maximum: number): Json => ({ type: 'integer', minimum, maximum });

const own: Json = {
  global: { type: 'object' },
  nameOverride: { type: 'string', maxLength: 45 },
  fullnameOverride: { type: 'string', maxLength: 45 },
  labels: texts,
  annotations: texts,
  keepReplicas: { type: 'boolean' },
  files: { ...texts, propertyNames: { pattern: '^[-._a-zA-Z0-9]+$' } },
  channel: channelValue(),
  autoscaling: {
    type: 'object',
    additionalProperties: false,
    properties: {
      enabled: { type: 'boolean' },
      minReplicas: whole(1, 1000),
      maxReplicas: whole(1, 1000),
      targetCPUUtilizationPercentage: whole(0, 1000),
      metrics: { type: 'array', items: { type: 'object' } },
      behavior: { type: 'object' },
    },
  },
};

export function valuesSchema(): string {
  const { properties = {} } = specSchema;
  const spec = Object.entries(properties).map(([name, schema]) => [name, asValue(schema)]);
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    additionalProperties: false,
    required: ['image'],
    properties: { ...Object.fromEntries(spec), ...own },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** The spec of a ChannelServer, and whether there is one. What is left to the server is empty. */
function channelValue(): Json {
  const { properties = {} } = channelSpecSchema;
  const spec = Object.entries(properties).map(([name, schema]) => [name, asValue(schema)]);
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      enabled: { type: 'boolean' },
      name: { type: 'string', maxLength: 37 },
      ...Object.fromEntries(spec),
    },
  };
}

/** What values.yaml leaves empty is left out of the spec, so an empty text is in order where the field itself may be absent. */
function asValue(schema: Schema): Json {
  const json = converted(schema);
  const optional = schema !== specSchema.properties?.['image'];
  if (schema.type === 'string' && optional) return { anyOf: [{ const: '' }, json] };
  // No field at all is what an absent object is; those with required fields would refuse it.
  if (schema.type === 'object' && schema.required) return { anyOf: [{ maxProperties: 0 }, json] };
  return json;
}

function converted(schema: Schema): Json {
  const { properties, items, additionalProperties, default: _, ...rest } = schema;
  const plain = Object.entries(rest).filter(([key]) => !key.startsWith('x-kubernetes-'));
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  return {
    ...Object.fromEntries(plain),
    ...(schema['x-kubernetes-int-or-string'] ? { type: ['integer', 'string'] } : {}),
    ...(items ? { items: converted(items) } : {}),
    ...(properties
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, each]) => [name, converted(each)]),
          ),
        }
      : {}),
    ...(additionalProperties ? { additionalProperties: converted(additionalProperties) } : {}),
    ...(properties && !additionalProperties && !open ? { additionalProperties: false } : {}),
  };
}
