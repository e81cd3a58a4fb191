#!/bin/sh
# In the place of kindnetd: writes how pods of this node get their addresses, and a route to the pods of each other node.
# It enforces no NetworkPolicy.

configuration() {
  cat <<CNI
{
  "cniVersion": "0.4.0",
  "name": "kindnet",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": false,
      "mtu": 1500,
      "ipam": {
        "type": "host-local",
        "dataDir": "/run/cni-ipam-state",
        "routes": [{"dst": "0.0.0.0/0"}],
        "ranges": [[{"subnet": "$1"}]]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
CNI
}

nodes='{range .items[*]}{.status.addresses[?(@.type=="InternalIP")].address} {.spec.podCIDR}{"\n"}{end}'
written=/etc/cni/net.d/10-kindnet.conflist

while :; do
  pause=5
  if ! kubectl get nodes -o "jsonpath=$nodes" > /tmp/nodes 2> /tmp/complaint; then
    cat /tmp/complaint
    sleep 0.5
    continue
  fi
  while read -r address range; do
    if [ -z "$range" ]; then
      pause=1 # the node has just joined
    elif [ "$address" != "$HOST_IP" ]; then
      ip route replace "$range" via "$address"
    elif [ ! -e "$written" ]; then
      configuration "$range" > /etc/cni/net.d/.unfinished
      mv /etc/cni/net.d/.unfinished "$written"
    fi
  done < /tmp/nodes
  sleep "$pause"
done
