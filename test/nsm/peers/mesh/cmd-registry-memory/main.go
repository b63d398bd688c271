// SPDX-License-Identifier: Apache-2.0

// The sdk's registry in memory, with the sdk's policies for registrations. No other domain: no registry to ask there.
package main

import (
	"net/url"
	"time"

	"github.com/networkservicemesh/sdk/pkg/registry/chains/memory"
	"github.com/networkservicemesh/sdk/pkg/registry/common/authorize"
	"google.golang.org/grpc"

	"crosswire.test/nsm-peers/internal/program"
)

type settings struct {
	program.Settings
	ListenOn []url.URL `required:"true" split_words:"true"`
}

func main() {
	var s settings
	p, end := program.Start(&s, &s.Settings)
	defer end()

	server := p.Server(p.ServerCredentials())
	onServer := authorize.WithPolicies(program.RegistryServerPolicies...)
	onClient := authorize.WithPolicies(program.RegistryClientPolicies...)
	memory.NewServer(p, p.Tokens,
		memory.WithAuthorizeNSERegistryServer(authorize.NewNetworkServiceEndpointRegistryServer(onServer)),
		memory.WithAuthorizeNSERegistryClient(authorize.NewNetworkServiceEndpointRegistryClient(onClient)),
		memory.WithAuthorizeNSRegistryServer(authorize.NewNetworkServiceRegistryServer(onServer)),
		memory.WithAuthorizeNSRegistryClient(authorize.NewNetworkServiceRegistryClient(onClient)),
		memory.WithDefaultExpiration(time.Minute),
		memory.WithProxyRegistryURL(&url.URL{}),
		memory.WithDialOptions(p.DialOptions(grpc.WaitForReady(true))...),
	).Register(server)
	for i := range s.ListenOn {
		p.Serve(server, &s.ListenOn[i])
	}
	p.Log().Infof("Startup completed in %s", p.Started())
	<-p.Signalled.Done()
}
