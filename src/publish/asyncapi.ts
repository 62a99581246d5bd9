import { z } from 'zod';
import { CLIENT_MESSAGES, SERVER_MESSAGES } from './feed-schemas.js';
import { FEED_PATH, PROTOCOL } from './protocol.js';

const FRAMES = {
  name: 'frames',
  title: 'Frames of the feed',
  contentType: 'application/octet-stream',
  description:
    'Binary: one or more size-prefixed FlatBuffers frames back to back, little-endian, identifier DWF1. /v1/schema has the layout, docs/protocol.md the rules of a reader.',
  payload: { type: 'string', format: 'binary' },
};

/** The AsyncAPI 3 document of the feed. Fields may be added to messages, so readers pass over those that they do not know. */
export function asyncApi(version: string): object {
  const client = Object.entries(CLIENT_MESSAGES).map(([name, schema]) => message(name, schema));
  const server = [...Object.entries(SERVER_MESSAGES).map(([name, schema]) => message(name, schema)), FRAMES];
  const refs = (at: string, names: readonly { readonly name: string }[]): object[] =>
    names.map(({ name }) => ({ $ref: `#/${at}/${name}` }));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'depthwire feed',
      version,
      description: `One WebSocket with the subprotocol ${PROTOCOL}: control is JSON text, data is binary.`,
      license: { name: 'MIT OR Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: '127.0.0.1:8642',
        protocol: 'ws',
        description: 'As depthwire serve listens unless told otherwise; wss where it has a certificate',
      },
    },
    channels: {
      feed: {
        address: FEED_PATH,
        messages: Object.fromEntries(
          [...client, ...server].map(({ name }) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
        bindings: {
          ws: {
            method: 'GET',
            headers: {
              type: 'object',
              properties: {
                'Sec-WebSocket-Protocol': {
                  type: 'string',
                  description: `${PROTOCOL}; where tokens are asked for and no header can be set, depthwire.token.TOKEN beside it`,
                },
                Authorization: { type: 'string', description: 'Bearer TOKEN, where tokens are asked for' },
              },
              required: ['Sec-WebSocket-Protocol'],
            },
          },
        },
      },
    },
    operations: {
      ask: {
        action: 'receive',
        summary: 'What a client sends',
        channel: { $ref: '#/channels/feed' },
        messages: refs('channels/feed/messages', client),
      },
      tell: {
        action: 'send',
        summary: 'What the server sends',
        channel: { $ref: '#/channels/feed' },
        messages: refs('channels/feed/messages', server),
      },
    },
    components: { messages: Object.fromEntries([...client, ...server].map((one) => [one.name, one])) },
  };
}

function message(name: string, schema: z.ZodType): { readonly name: string; readonly payload: object } {
  const {
    $schema: _,
    description,
    ...payload
  } = z.toJSONSchema(schema, {
    target: 'draft-7',
    override: ({ jsonSchema: one }) => {
      delete one.additionalProperties;
    },
  });
  return { name, ...(description === undefined ? {} : { summary: description }), payload };
}
