/** The rule of precedence: the section, the environment, then git's general configuration. */
import { describe, expect, it } from '@jest/globals';
import { allowsEc2Remotes, sectionFor, sectionsWith, settingsOf } from '../../src/host/settings.ts';

const settings = (given: Readonly<Record<string, string | readonly string[]>>): Map<string, string[]> =>
  new Map(Object.entries(given).map(([name, value]) => [name, [value].flat()]));

describe('the settings of a host', () => {
  it('come from a section, then the environment, then the general configuration', () => {
    const known = settings({
      ...{
        'ssm.region': 'eu-west-1',
        'ssm.rolearn': ['arn:a', 'arn:b'],
        'ssm.timeout': '9s',
        'ssm.via': 'direct',
        'ssm.cache': 'http://localhost:1',
      },
      ...{ 'ssm.h.region': ['eu-west-2', 'eu-west-3'], 'ssm.h.rolearn': 'arn:c,arn:d', 'ssm.h.via': '' },
      'ssm.h.cache': 'http://localhost:3',
    });
    const env = { SSM_SSH_REGION: 'us-east-1', SSM_SSH_TIMEOUT: '5s', SSM_SSH_VIA: 'endpoint' };
    const cached = { ...env, SSM_SSH_CACHE: 'http://localhost:2' };
    const all = {
      ...{ region: 'eu-west-1', roles: ['arn:a', 'arn:b'], timeout: '9s', via: 'direct' },
      cache: 'http://localhost:1',
    };
    expect(settingsOf(known, {})).toEqual(all);
    expect(settingsOf(known, env)).toEqual({ ...all, region: 'us-east-1', timeout: '5s', via: 'endpoint' });
    expect(settingsOf(known, env, 'h')).toEqual({
      ...{ region: 'eu-west-3', roles: ['arn:c', 'arn:d'], timeout: '5s', via: 'endpoint' },
      cache: 'http://localhost:3',
    });
    expect(settingsOf(known, cached).cache).toBe('http://localhost:2');
    expect(settingsOf(known, cached, 'h').cache).toBe('http://localhost:3');
    expect(settingsOf(new Map(), {})).toEqual({
      ...{ region: undefined, roles: [], timeout: '30s', via: undefined },
    });
  });

  it.each([
    ['arn:a,arn:b', ['arn:a', 'arn:b']],
    [' arn:a , arn:b,\n,arn:c,, ', ['arn:a', 'arn:b', 'arn:c']],
    ['arn:role/team,deploy', ['arn:role/team,deploy']],
    ['arn:role/team,deploy,arn:role/x,y arn:a', ['arn:role/team,deploy', 'arn:role/x,y', 'arn:a']],
  ])('have roles, whose names may have commas: %j', (text, roles) => {
    expect(settingsOf(new Map(), { SSM_SSH_ROLE_ARN: text }).roles).toEqual(roles);
  });

  it('without a section are not those of a section that is named undefined', () => {
    const known = settings({ 'ssm.undefined.region': 'eu-west-1', 'ssm.undefined.timeout': '1s' });
    expect(settingsOf(known, {})).toMatchObject({ region: undefined, timeout: '30s' });
  });

  it('of an EC2 host come from the most specific section, as for a repository', () => {
    const known = settings({
      ...{ 'ssm.*.example.com.key': '/a', 'ssm.i-0123456789ABCDEF0.key': '/b', 'ssm.no host.key': '/c' },
      ...{ 'ssm.key': '/d', 'ssm.web.example.com.region': 'eu-west-1' },
    });
    expect(sectionFor(known, { host: 'i-0123456789abcdef0', path: '' }, 22)).toBe('i-0123456789ABCDEF0');
    expect(sectionFor(known, { host: 'web.example.com', path: '' }, 22)).toBe('*.example.com');
    expect(sectionFor(known, { host: 'i-01234567', path: '' }, 22)).toBeUndefined();
    expect(sectionsWith(known, 'key')).toEqual(['*.example.com', 'i-0123456789ABCDEF0', 'no host']);
  });

  it.each([
    ['', '', false],
    ['1', '', true],
    ['', 'true', true],
    ['no', 'true', false],
    ['', 'perhaps', false],
  ])('allow git to reach EC2 hosts with %j and %j: %s', (variable, value, allowed) => {
    const known = settings({ 'ssm.ec2remotes': ['true', value] });
    expect(allowsEc2Remotes(known, { SSM_SSH_EC2_REMOTES: variable })).toBe(allowed);
  });
});
