/** An EC2 Instance Connect Endpoint under AWS_USE_FIPS_ENDPOINT: AWS's own host names, led to the local AWS by a proxy. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { openEndpointTunnel } from '../../src/ec2/endpoint-tunnel.ts';
import type { Instance } from '../../src/ec2/instances.ts';
import { REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { startGateway, type Gateway } from '../support/aws/wire/gateway.ts';
import { callerOf, connectionTo, failureOf, usual } from './ec2-stage.ts';
import { read, TcpHost } from './tcp-host.ts';

const host = new TcpHost();
const dnsName = `eice-1.${REGION}.amazonaws.com`;
let world: ReadyWorld;
let gateway: Gateway;
let instance: Instance;

beforeEach(async () => {
  world = await startReadyWorld({ tls: true, regions: [REGION] });
  gateway = await startGateway({ leads: world.aws.endpoint });
  await host.start();
  process.env['AWS_USE_FIPS_ENDPOINT'] = 'true';
  const launched = world.aws.ec2.launch({ ports: { 22: host.port } });
  instance = { ...launched, name: undefined, platform: 'other' };
});
afterEach(async () => {
  delete process.env['AWS_USE_FIPS_ENDPOINT'];
  host.stop();
  gateway.close();
  await world.stop();
});

const open = async (): ReturnType<typeof openEndpointTunnel> => {
  const connection = connectionTo(world.aws, { HTTPS_PROXY: gateway.url });
  return await openEndpointTunnel({ instance, port: 22 }, callerOf(world.aws, usual, { connection }));
};

it('is looked up and opened by the FIPS names of both', async () => {
  const fipsDnsName = `fips-${dnsName}`;
  world.aws.ec2.createConnectEndpoint({ dnsName, fipsDnsName });
  const tunnel = await open();
  tunnel.stream.write('here');
  expect(String(await read(tunnel.stream, 4))).toBe('here');
  await tunnel.close();
  expect([...new Set(gateway.tunnels)]).toEqual([
    `ec2-fips.${REGION}.amazonaws.com:443`,
    `${fipsDnsName}:443`,
  ]);
});

it('without a FIPS name is refused, and not opened by its other name', async () => {
  world.aws.ec2.createConnectEndpoint({ dnsName });
  const failure = await failureOf(open());
  expect(failure).toMatchObject({ code: 'TUNNEL_FAILED' });
  expect(failure.message).toMatch(
    new RegExp(`^the EC2 Instance Connect Endpoint eice-.* in ${REGION} has no FIPS name$`),
  );
  expect(failure.hint).toMatch(/^unset AWS_USE_FIPS_ENDPOINT, or /);
  expect([...new Set(gateway.tunnels)]).toEqual([`ec2-fips.${REGION}.amazonaws.com:443`]);
});
