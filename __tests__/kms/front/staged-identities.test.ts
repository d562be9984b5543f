/** Keys that are added to the agent in front together. */
import { describe, expect, it } from '@jest/globals';
import { Identities } from '../../../src/kms/front/identities.ts';
import type { Limits } from '../../../src/kms/front/identity.ts';
import { StagedIdentities } from '../../../src/kms/front/staged-identities.ts';
import { identityFor } from '../../support/front.ts';
import { memorySigner } from '../../support/memory-signer.ts';

const signer = memorySigner();
const hostNamed = (host: string): Pick<Limits, 'hosts'> => ({
  hosts: () => Promise.resolve([{ host, keys: [] }]),
});
const identities = (): Identities => new Identities({ now: () => 0, onEmpty: () => undefined });

describe('keys that are added together', () => {
  it('are in the agent when all are open, with the certificate that they have then', () => {
    const agent = identities();
    const staged = new StagedIdentities(agent);
    const added = staged.add(identityFor(signer));
    added.replaceBlobs([Buffer.from('renewed')]);
    expect([agent.isEmpty, added.isHeld]).toEqual([true, true]);
    staged.addAll();
    expect(agent.list().map(({ blob }) => blob.toString())).toEqual(['renewed']);
    added.remove();
    expect([agent.isEmpty, added.isHeld]).toEqual([true, false]);
  });

  it('leave the agent as it was if one of them fails', () => {
    const agent = identities();
    agent.add(identityFor(signer, { uses: 7 }));
    const staged = new StagedIdentities(agent);
    const added = staged.add(identityFor(signer));
    staged.drop();
    staged.addAll();
    expect([agent.find(signer.publicKey.blob)?.identity.limits.uses, added.isHeld]).toEqual([7, false]);
  });

  it('serve the hosts of all their lines', async () => {
    const agent = identities();
    const staged = new StagedIdentities(agent);
    for (const name of ['one', 'two']) staged.add(identityFor(signer, hostNamed(name)));
    staged.addAll();
    const { hosts } = agent.find(signer.publicKey.blob)?.identity.limits ?? {};
    expect((await hosts?.(AbortSignal.timeout(1000)))?.map(({ host }) => host)).toEqual(['one', 'two']);
  });

  it.each<[string, Partial<Limits>]>([
    ['unbound', { unbound: 'allow' }],
    ['forwarding', { forwarding: 'allow' }],
    ['uses', { uses: 3 }],
  ])('are refused where two lines of a key differ in %s', (_, limits) => {
    const staged = new StagedIdentities(identities());
    staged.add(identityFor(signer));
    expect(() => staged.add(identityFor(signer, limits))).toThrow('two lines that differ in their options');
  });
});
