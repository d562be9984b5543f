import { beforeAll, describe, expect, it } from '@jest/globals';
import { rangeProblem } from '../../src/keys/address-range.ts';
import { certify } from '../support/keygen.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';

const sound = [
  ...['203.0.113.7', '203.0.113.7/32', '203.0.113.0/24', '0.0.0.0/0', '10.0.0.0/8', '10.128.0.0/9'],
  ...['::1', '::/0', '2001:db8::/32', '2001:DB8:0:0:1::', '2001:db8::1/128', 'fe80::/10', '::ffff:10.0.0.1'],
  ...['1:2:3:4:5:6:7:8', '1::8', '8000::/1'],
];
const wrong = [
  ...['', '203.0.113.7/24', '203.0.113.0/33', '203.0.113.256', '203.0.113.0/', '203.0.113.0/-1'],
  ...['2001:db8::1/32', '2001:db8::/129', '2001:db8', ':::', '1:2:3:4:5:6:7:8:9', 'g::', 'example.com'],
  ...['!10.0.0.0/8', '10.0.0.0/8/8', '10.0.0.0 /8', '*', '::1%eth0', '10.0.0.1.1', '4000::/1'],
];

describe('a range of addresses, compared with ssh-keygen', () => {
  let authority: SshKey;

  beforeAll(async () => {
    authority = await makeSshKey();
  });

  const accepted = (network: string): boolean => {
    try {
      certify(authority.publicKey, authority.privateKey, ['-O', `source-address=${network}`]);
      return true;
    } catch {
      return false;
    }
  };

  it.each(sound)('is accepted, as by ssh-keygen: %s', (network) => {
    expect([rangeProblem(network), accepted(network)]).toEqual([undefined, true]);
  });

  it.each(wrong)('is refused, as by ssh-keygen: %s', (network) => {
    expect([rangeProblem(network), accepted(network)]).toEqual([expect.any(String), false]);
  });

  it('in an old form is refused: other programs read another address', () => {
    expect(rangeProblem('203.0.113')).toBe('is not an IP address or a range in CIDR notation');
    expect(rangeProblem('010.0.0.1')).toBe('is not an IP address or a range in CIDR notation');
  });
});
