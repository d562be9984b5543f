import { describe, expect, it } from '@jest/globals';
import { managedFinding } from '../../../helper/doctor/managed.ts';

describe('the SSM agent of a host', () => {
  it.each([
    ['1.9.999.0', 'warn'],
    ['2.2.999.0', 'warn'],
    ['2.3', 'warn'],
    ['2.3.671.0', 'warn'],
    ['2.3.672.0', 'ok'],
    ['2.4.0.0', 'ok'],
    ['3.0.1.0', 'ok'],
  ])('of the version %s is %s: sessions for ssh need 2.3.672.0', (AgentVersion, status) => {
    const found = managedFinding('session manager', 'i-0', { PingStatus: 'Online', AgentVersion });
    expect(found.status).toBe(status);
    expect(found.detail.endsWith(': sessions for ssh need 2.3.672.0')).toBe(status === 'warn');
  });
});
