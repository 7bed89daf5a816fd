// What programs do with the npm client, in one walk; anything that is not as with Consul ends it with 1 and says why.
import assert from "node:assert/strict";
import Consul from "consul";

const SECONDS = 20;
const [host, port] = process.argv[2].split(":");
const consul = new Consul({ host, port, defaults: { dc: "dc1", token: "ignored" } });

setTimeout(() => {
  console.error(`not done after ${SECONDS} s`);
  process.exit(1);
}, SECONDS * 1000).unref();

// Resolves once what is watched is as wanted; rejects with the first error of the watch.
function seen(watch, isWanted) {
  return new Promise((resolve, reject) => {
    watch.on("change", (data, res) => {
      if (isWanted(data)) {
        watch.end();
        resolve({ data, meta: Consul.parseQueryMeta(res) });
      }
    });
    watch.on("error", reject);
  });
}

async function fails(statusCode, promise) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.statusCode ?? error.response?.statusCode, statusCode, error.message);
    return true;
  });
}

async function aboutTheServer() {
  assert.match(await consul.status.leader(), /^127\.0\.0\.1:\d+$/);
  assert.equal((await consul.status.peers()).length, 1);
  const self = await consul.agent.self();
  assert.equal(self.Config.Datacenter, "dc1");
  const [member] = await consul.agent.members({ wan: true });
  assert.equal(member.Name, `${self.Config.NodeName}.dc1`);
  assert.deepEqual(await consul.catalog.datacenters(), ["dc1"]);
  await consul.agent.reload();
}

async function aServiceAndItsCheck() {
  await consul.agent.service.register({
    id: "npm-1",
    name: "npm",
    address: "127.0.0.1",
    port: 8080,
    tags: ["v1"],
    meta: { version: "1" },
    check: { name: "alive", ttl: "1h", notes: "told by the service", status: "warning" },
    connect: { sidecar_service: { port: 20500 } },
    tagged_addresses: { lan: { address: "10.0.0.1", port: 80 } },
  });
  const services = await consul.agent.services({ filter: 'Service == "npm"' });
  assert.deepEqual(Object.keys(services), ["npm-1"]);
  assert.equal(services["npm-1"].TaggedAddresses.lan.Port, 80);
  const { "service:npm-1": check } = await consul.agent.checks();
  assert.deepEqual([check.Name, check.Notes, check.Status], ["alive", "told by the service", "warning"]);
  const [proxy] = await consul.catalog.connect.nodes("npm");
  assert.deepEqual([proxy.ServiceID, proxy.ServicePort], ["npm-1-sidecar-proxy", 20500]);

  const watch = consul.watch({
    method: consul.health.service,
    options: { service: "npm", passing: true, wait: "10s" },
  });
  const healthy = seen(watch, (rows) => rows.length === 1);
  await consul.agent.check.pass({ id: "service:npm-1", note: "it is" });
  const { data, meta } = await healthy;
  assert.equal(data[0].Checks.at(-1).Output, "it is");
  assert.equal(meta.KnownLeader, true);
  assert.equal(meta.LastContact, 0);
  assert.ok(BigInt(meta.LastIndex) > 0n);

  const gone = seen(
    consul.watch({ method: consul.health.service, options: { service: "npm", passing: true } }),
    (rows) => rows.length === 0,
  );
  await consul.agent.check.fail({ id: "service:npm-1", note: "no more" });
  await gone;
  await consul.agent.check.warn("service:npm-1");
  assert.deepEqual(
    (await consul.health.checks("npm")).map((each) => each.Status),
    ["warning"],
  );
  await fails(404, consul.agent.check.pass("nothing"));
}

async function otherChecks() {
  await consul.agent.check.register({ id: "n", name: "node", ttl: "1h", successbeforepassing: 1 });
  await consul.agent.check.register({
    id: "h2",
    name: "h2",
    serviceid: "npm-1",
    h2ping: "127.0.0.1:1",
    h2pingusetls: false,
    interval: "10s",
    timeout: "1s",
  });
  assert.equal((await consul.agent.checks()).h2.Type, "h2ping");
  await consul.agent.check.deregister("h2");
  await consul.agent.check.deregister("n");
  await fails(400, consul.agent.check.register({ name: "script", args: ["true"], interval: "10s" }));
}

async function theCatalog() {
  const node = (await consul.agent.self()).Config.NodeName;
  assert.ok((await consul.catalog.nodes()).some((each) => each.Node === node));
  assert.deepEqual((await consul.catalog.services()).npm, ["v1"]);
  const [row] = await consul.catalog.service.nodes({ service: "npm", tag: "v1", near: "_agent" });
  assert.deepEqual([row.Node, row.ServicePort, row.ServiceMeta.version], [node, 8080, "1"]);
  assert.equal((await consul.catalog.node.services(node)).Services["npm-1"].Service, "npm");
  assert.ok((await consul.health.node(node)).some((each) => each.CheckID === "serfHealth"));
  assert.ok((await consul.health.state("warning")).some((each) => each.ServiceID === "npm-1"));
  assert.deepEqual(await consul.health.state("unknown"), []);

  await consul.catalog.register({
    node: "npm-node",
    address: "10.0.0.5",
    service: { service: "old", id: "old-1", port: 1, tags: ["a"] },
    checks: [
      {
        node: "npm-node",
        checkid: "old",
        name: "old",
        serviceid: "old-1",
        status: "passing",
        definition: { http: "http://10.0.0.5/", intervalduration: "10s", timeoutduration: "1s" },
      },
    ],
  });
  const [old] = await consul.health.service({ service: "old", passing: true });
  assert.deepEqual([old.Node.Address, old.Service.ID], ["10.0.0.5", "old-1"]);
  assert.equal(old.Checks[0].Definition.HTTP, "http://10.0.0.5/");
  assert.equal(old.Checks[0].Definition.Interval, "10s");
  await consul.catalog.deregister({ node: "npm-node", serviceid: "old-1" });
  await consul.catalog.deregister("npm-node");
  assert.deepEqual(await consul.catalog.service.nodes("old"), []);
}

async function maintenance() {
  await consul.agent.service.maintenance({ id: "npm-1", enable: true, reason: "new disk" });
  assert.equal((await consul.agent.checks())["_service_maintenance:npm-1"].Notes, "new disk");
  await consul.agent.service.maintenance({ id: "npm-1", enable: false });
  await consul.agent.maintenance(true);
  await consul.agent.maintenance(false);
}

async function theEnd() {
  await consul.agent.service.deregister("npm-1");
  assert.deepEqual(Object.keys(await consul.agent.services()), []);
  await fails(404, consul.agent.service.deregister("npm-1"));
  await fails(400, consul.agent.join("10.0.0.1"));
  await fails(401, consul.acl.legacy.list());
  assert.equal(await consul.kv.get("nothing"), undefined);
}

for (const step of [aboutTheServer, aServiceAndItsCheck, otherChecks, theCatalog, maintenance, theEnd]) {
  await step();
  console.log(step.name);
}
consul.destroy();
