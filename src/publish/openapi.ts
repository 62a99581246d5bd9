import { z } from 'zod';
import { errorSchema } from './http-schemas.js';
import type { Documented, Route } from './routes.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const ERROR_REF = { $ref: '#/components/schemas/Error' };

/** The OpenAPI 3.1 document of these routes. Fields may be added to answers, so readers pass over those that they do not know. */
export function openApi(routes: readonly Route[], version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'depthwire',
      version,
      description:
        'What a depthwire server answers beside its feed. Every error has a stable code and says how to mend it.',
      license: { name: 'MIT OR Apache-2.0', identifier: 'MIT OR Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{}, { token: [] }],
    paths: Object.fromEntries(routes.map((route) => [route.path, methodsOf(route)])),
    components: {
      schemas: { Error: jsonSchema(errorSchema) },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Where the server asks for tokens; `operations` paths need one that says so',
        },
      },
    },
  };
}

function methodsOf(route: Route): object {
  const { change } = route;
  if (change === undefined) return { get: operation(route) };
  const content = { [JSON_TYPE]: { schema: jsonSchema(change.body) } };
  const post = { ...operation({ ...route, ...change, query: [] }), requestBody: { required: true, content } };
  return { get: operation(route), post };
}

function operation({
  path,
  name,
  what,
  access,
  query = [],
  answers,
}: Omit<Route, 'answer' | 'change'>): object {
  const inPath = path.includes('{instrument}')
    ? [
        {
          name: 'instrument',
          in: 'path',
          required: true,
          description: 'Any name that its venue has for the instrument, percent-encoded once',
          schema: { type: 'string' },
          example: 'venue:BTC%2FUSD',
        },
      ]
    : [];
  const inQuery = query.map((one) => ({
    name: one.name,
    in: 'query',
    description: one.what,
    schema: one.schema,
  }));
  return {
    operationId: name,
    summary: what,
    ...(access === 'open' ? { security: [{}] } : {}),
    ...(access === 'operations' ? { tags: ['operations'] } : {}),
    parameters: [...inPath, ...inQuery],
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, one]) => [status, response(one)])),
      default: { description: 'Why there is no answer', content: { [JSON_TYPE]: { schema: ERROR_REF } } },
    },
  };
}

function response({ what, type, schema }: Documented): object {
  if (schema === errorSchema) return { description: what, content: { [JSON_TYPE]: { schema: ERROR_REF } } };
  if (schema !== undefined)
    return { description: what, content: { [JSON_TYPE]: { schema: jsonSchema(schema) } } };
  if (type === undefined) return { description: what };
  return { description: what, content: { [type]: { schema: { type: 'string' } } } };
}

function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'output',
    override: ({ jsonSchema: one }) => {
      delete one.additionalProperties;
    },
  });
  return rest;
}
