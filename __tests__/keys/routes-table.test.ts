import { describe, expect, it } from '@jest/globals';
import { parseLines } from '../../src/keys/key-line.ts';
import { matchRoutes } from '../../src/keys/routes.ts';
import { routingCases } from '../support/routing-cases.ts';

describe('the key for a connection', () => {
  it.each(Object.entries(routingCases))('by %s', (_, { keys, remote, offered }) => {
    const lines = parseLines(
      keys.map((repositories, number) => `/key-${String(number)} ${repositories}`).join('\n'),
    ).keys;
    const routes = lines.map(({ repositories }, key) => ({ key, repositories }));
    expect(matchRoutes(routes, remote, 22)).toEqual(offered);
  });
});
