/** Session policies allow to read the references and nothing else, and fit STS's limit. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { halve, narrowSessions, signingPolicy } from '../../src/aws/session-policy.ts';
import { parseKeyReference } from '../../src/keys/key-reference.ts';
import type { KmsReference } from '../../src/keys/key-reference.ts';
import { parseReference } from '../../src/keys/reference.ts';

const home = { partition: 'aws', region: 'eu-west-1', account: '111122223333' };
const read = (policy: string): unknown => JSON.parse(policy);

function expected(resources: readonly string[], services: readonly string[]): unknown {
  const allow = { Effect: 'Allow' };
  return {
    Version: '2012-10-17',
    Statement: [
      { ...allow, Action: ['ssm:GetParameter', 'ssm:GetParameters'], Resource: resources },
      {
        ...allow,
        Action: 'kms:Decrypt',
        Resource: '*',
        Condition: { StringEquals: { 'kms:ViaService': services } },
      },
    ],
  };
}

describe('the policy', () => {
  it.each([
    [['/ci/key'], ['arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key'], ['ssm.eu-west-1.amazonaws.com']],
    [
      ['key', '/ci/key:7'],
      [
        'arn:aws:ssm:eu-west-1:111122223333:parameter/key',
        'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key',
      ],
      ['ssm.eu-west-1.amazonaws.com'],
    ],
    [
      ['/a:1', '/a:2', '/a', 'arn:aws:ssm:eu-west-1:111122223333:parameter/a'],
      ['arn:aws:ssm:eu-west-1:111122223333:parameter/a'],
      ['ssm.eu-west-1.amazonaws.com'],
    ],
    [
      ['/a', 'arn:aws:ssm:us-east-1:999988887777:parameter/b:prod'],
      ['arn:aws:ssm:eu-west-1:111122223333:parameter/a', 'arn:aws:ssm:us-east-1:999988887777:parameter/b'],
      ['ssm.eu-west-1.amazonaws.com', 'ssm.us-east-1.amazonaws.com'],
    ],
  ])('of %j names exactly its parameters', (texts, resources, services) => {
    const [session, ...others] = narrowSessions(texts.map(parseReference), home);
    expect(others).toEqual([]);
    expect(read(session?.policy ?? '')).toEqual(expected(resources, services));
  });

  const secret = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:';
  const viaService = (...services: string[]): unknown => ({
    Effect: 'Allow',
    Action: 'kms:Decrypt',
    Resource: '*',
    Condition: { StringEquals: { 'kms:ViaService': services } },
  });
  const batch = { Effect: 'Allow', Action: 'secretsmanager:BatchGetSecretValue', Resource: '*' };
  const get = (...resources: string[]): unknown => ({
    Effect: 'Allow',
    Action: 'secretsmanager:GetSecretValue',
    Resource: resources,
  });
  const statements = (texts: readonly string[]): unknown => {
    const [session] = narrowSessions(texts.map(parseReference), home);
    return (read(session?.policy ?? '') as { Statement: unknown }).Statement;
  };

  it('for one secret has wildcards for the six random characters, and no batch', () => {
    const one = [get(`${secret}ci/deploy-??????`), viaService('secretsmanager.eu-west-1.amazonaws.com')];
    expect(statements(['secretsmanager:ci/deploy'])).toEqual(one);
    expect(statements(['secretsmanager:ci/deploy:a', 'secretsmanager:ci/deploy:b'])).toEqual(one);
  });

  it('for several secrets allows a batch, and has statements only for named references', () => {
    expect(statements(['secretsmanager:a', `${secret}b-AbCdEf:key`])).toEqual([
      get(`${secret}a-??????`, `${secret}b-AbCdEf`),
      batch,
      viaService('secretsmanager.eu-west-1.amazonaws.com'),
    ]);
    expect(statements(['/k', 'secretsmanager:a'])).toEqual([
      {
        Effect: 'Allow',
        Action: ['ssm:GetParameter', 'ssm:GetParameters'],
        Resource: ['arn:aws:ssm:eu-west-1:111122223333:parameter/k'],
      },
      get(`${secret}a-??????`),
      viaService('ssm.eu-west-1.amazonaws.com', 'secretsmanager.eu-west-1.amazonaws.com'),
    ]);
  });

  it.each([
    [
      { partition: 'aws-cn', region: 'cn-north-1', account: '111122223333' },
      'ssm.cn-north-1.amazonaws.com.cn',
    ],
    [
      { partition: 'aws-us-gov', region: 'us-gov-west-1', account: '111122223333' },
      'ssm.us-gov-west-1.amazonaws.com',
    ],
  ])('in %j names that partition', (there, service) => {
    const [session] = narrowSessions([parseReference('/k')], there);
    const arn = `arn:${there.partition}:ssm:${there.region}:111122223333:parameter/k`;
    expect(read(session?.policy ?? '')).toEqual(expected([arn], [service]));
  });
});

describe('the policy for several regions', () => {
  const several = { ...home, otherRegions: ['eu-central-1', 'us-east-1'] };
  const statements = (texts: readonly string[]): unknown[] => {
    const [session] = narrowSessions(texts.map(parseReference), several);
    return (read(session?.policy ?? '') as { Statement: unknown[] }).Statement;
  };
  const base = { Effect: 'Allow', Action: ['ssm:GetParameter', 'ssm:GetParameters'] };
  const arn = 'arn:aws:ssm:ap-south-1:999988887777:parameter/b';
  const named = {
    ...base,
    Resource: ['arn:aws:ssm:*:111122223333:parameter/a'],
    Condition: { StringEquals: { 'aws:RequestedRegion': ['eu-west-1', 'eu-central-1', 'us-east-1'] } },
  };

  it('names a parameter once for all these Regions, and an ARN in its own Region', () => {
    expect(statements(['/a', arn]).slice(0, -1)).toEqual([{ ...base, Resource: [arn] }, named]);
    expect(statements(['/a:1', '/a:2']).slice(0, -1)).toEqual([named]);
    expect(statements([arn]).slice(0, -1)).toEqual([{ ...base, Resource: [arn] }]);
  });

  it('allows to decrypt through the Parameter Store of each Region', () => {
    const services = (texts: readonly string[]): unknown =>
      (statements(texts).at(-1) as { Condition: { StringEquals: object } }).Condition.StringEquals;
    const hosts = ['eu-west-1', 'eu-central-1', 'us-east-1'].map((region) => `ssm.${region}.amazonaws.com`);
    expect(services(['/a'])).toEqual({ 'kms:ViaService': hosts });
    expect(services([arn])).toEqual({ 'kms:ViaService': ['ssm.ap-south-1.amazonaws.com'] });
  });

  it('allows to sign with an alias in these Regions alone', () => {
    const region = ['eu-west-1', 'eu-central-1', 'us-east-1'];
    const policyOf = (text: string): unknown =>
      (read(signingPolicy([parseKeyReference(text) as KmsReference], several)) as { Statement: unknown[] })
        .Statement;
    const signing = { Effect: 'Allow', Action: ['kms:GetPublicKey', 'kms:Sign'] };
    const aliases = ['alias/deploy', 'alias/deploy-previous'];
    expect(policyOf('kms:alias/deploy')).toEqual([
      {
        ...signing,
        Resource: 'arn:aws:kms:*:111122223333:key/*',
        Condition: {
          StringEquals: {
            'kms:RequestAlias': expect.arrayContaining([aliases[0]]),
            'aws:RequestedRegion': region,
          },
        },
      },
    ]);
    const id = 'mrk-1234abcd12ab34cd56ef1234567890ab';
    expect(policyOf(`kms:${id}`)).toEqual([
      {
        ...signing,
        Resource: `arn:aws:kms:*:111122223333:key/${id}`,
        Condition: { StringEquals: { 'aws:RequestedRegion': region } },
      },
    ]);
    const arn = 'arn:aws:kms:ap-south-1:999988887777:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    expect(policyOf(arn)).toEqual([{ ...signing, Resource: arn }]);
  });

  it('is one policy for the longest possible name', () => {
    const [session, ...others] = narrowSessions([parseReference(`/${'k'.repeat(1010)}`)], several);
    expect(others).toEqual([]);
    expect(session?.policy.length).toBeLessThanOrEqual(2048);
  });
});

describe('the policies of many references', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_.-]{10,200}$/).map((text) => `/${text.slice(0, 199)}`);
  const arn = name.map((path) => `arn:aws:ssm:us-east-1:999988887777:parameter${path}`);

  it('fit STS, and have each reference in exactly one policy', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(name, arn), { minLength: 1, maxLength: 100 }), (texts) => {
        const references = texts.map(parseReference);
        const sessions = narrowSessions(references, home);
        expect(sessions.flatMap((session) => session.references)).toEqual(references);
        for (const { policy, references: part } of sessions) {
          expect(policy.length).toBeLessThanOrEqual(2048);
          const [first] = (read(policy) as { Statement: { Resource: string[] }[] }).Statement;
          const paths = part.map(({ name: path }) => path.replace(/^arn:.*:parameter/, ''));
          expect(new Set(first?.Resource.map((resource) => resource.replace(/^.*:parameter/, '')))).toEqual(
            new Set(paths),
          );
        }
      }),
      { numRuns: 100 },
    );
  });

  it('are one policy if all references fit', () => {
    const references = Array.from({ length: 16 }, (_, index) =>
      parseReference(`/ci/deploy-key-of-repository-${index}`),
    );
    expect(narrowSessions(references, home)).toHaveLength(1);
  });

  it('are several if STS is expected to refuse one policy for its packed size', () => {
    const references = Array.from({ length: 40 }, (_, index) => parseReference(`/${index}`));
    const sizes = narrowSessions(references, home).map((session) => session.references.length);
    expect(sizes).toEqual([16, 16, 8]);
  });

  it('are one policy for the longest possible name', () => {
    const [session, ...others] = narrowSessions([parseReference(`/${'k'.repeat(1010)}`)], home);
    expect(others).toEqual([]);
    expect(session?.policy.length).toBeLessThanOrEqual(2048);
  });
});

describe('halves', () => {
  it.each([
    [[], [[], []]],
    [[1], [[1], []]],
    [
      [1, 2],
      [[1], [2]],
    ],
    [
      [1, 2, 3],
      [[1, 2], [3]],
    ],
  ])('of %j are %j', (items, halves) => {
    expect(halve<number>(items)).toEqual(halves);
  });
});
