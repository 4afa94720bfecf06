import { lookup as lookupName } from "node:dns";
import { BlockList, isIP, isIPv6, type LookupFunction } from "node:net";

/** A name or an address that leads to where nothing may be sent. */
export class AddressRefusedError extends Error {}

type Subnet = readonly [address: string, prefix: number];

/** All that is not the public Internet, by IANA's registries of special-purpose addresses. */
const special4: readonly Subnet[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/** Of version 6 only these are public at all… */
const public6: Subnet = ["2000::", 3];
/** …and of those not these: among them addresses that lead on to any of version 4. */
const special6: readonly Subnet[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const refused4 = listOf(special4, "ipv4");
const refused6 = listOf(special6, "ipv6");
const admitted6 = listOf([public6], "ipv6");

function listOf(subnets: readonly Subnet[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, family);
  return list;
}

/** Whether an address is one of the public Internet. */
export function isPublicAddress(address: string): boolean {
  if (isIPv6(address)) return admitted6.check(address, "ipv6") && !refused6.check(address, "ipv6");
  return isIP(address) === 4 && !refused4.check(address, "ipv4");
}

/** Refuses an address that is written as one; a name is looked at when it is looked up. @param hostname of a URL */
export function requirePublicHost(hostname: string): void {
  const address = hostname.replace(/^\[|\]$/g, "");
  if (isIP(address) !== 0 && !isPublicAddress(address)) throw refusal(address);
}

/**
 * Looks a name up for a connection, and refuses it when any of its addresses is not public. What is checked is what is connected
 * to: a name that leads elsewhere the next time gains nothing.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookupName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, "", 0);
    const refused = addresses.find(({ address }) => !isPublicAddress(address));
    const [first] = addresses;
    if (refused !== undefined) return callback(refusal(refused.address), "", 0);
    if (options.all) return callback(null, addresses);
    callback(null, first?.address ?? "", first?.family ?? 0);
  });
};

const refusal = (address: string) =>
  new AddressRefusedError(`${address} is not a public address: nothing is sent there`);
