import { describe, expect, it } from '@jest/globals';
import { usualEndpoint } from '../../src/aws/usual-endpoint.ts';

describe('the endpoint that the AWS SDK will most likely call', () => {
  it.each([
    ['sts', 'eu-west-1', 'https://sts.eu-west-1.amazonaws.com/'],
    ['ssm', 'us-gov-west-1', 'https://ssm.us-gov-west-1.amazonaws.com/'],
    ['secretsmanager', 'cn-north-1', 'https://secretsmanager.cn-north-1.amazonaws.com.cn/'],
  ] as const)('of %s in %s is %s', (service, region, url) => {
    expect(usualEndpoint(service, region, {})?.href).toBe(url);
  });

  it('is the one that the environment names, for the service before the one for all', () => {
    const env = {
      AWS_ENDPOINT_URL: 'https://all.example.com',
      AWS_ENDPOINT_URL_STS: 'https://sts.example.com:8443',
    };
    expect([
      usualEndpoint('sts', 'eu-west-1', env)?.host,
      usualEndpoint('ssm', 'eu-west-1', env)?.host,
    ]).toEqual(['sts.example.com:8443', 'all.example.com']);
  });

  it.each([
    ['AWS_USE_FIPS_ENDPOINT', 'true'],
    ['AWS_PROFILE', 'ci'],
    ['HTTPS_PROXY', 'http://proxy.example.com:3128'],
    ['https_proxy', 'http://proxy.example.com:3128'],
    ['AWS_ENDPOINT_URL', 'http://127.0.0.1:4566'],
    ['AWS_ENDPOINT_URL_SSM', 'nonsense'],
  ])('is not guessed with %s=%s', (name, value) => {
    expect(usualEndpoint('ssm', 'eu-west-1', { [name]: value })).toBeUndefined();
  });
});
