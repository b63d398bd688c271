// SPDX-License-Identifier: Apache-2.0

// The sdk's manager of a node, with the sdk's policies for Requests, Closes and registrations. What connections an identity
// has is known to monitors too, though the sdk has no policy for them unless one is named.
package main

import (
	"net/url"
	"time"

	"github.com/edwarnicke/genericsync"
	"github.com/edwarnicke/grpcfd"
	"github.com/networkservicemesh/sdk/pkg/networkservice/chains/nsmgr"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/authorize"
	registryauthorize "github.com/networkservicemesh/sdk/pkg/registry/common/authorize"
	monitorauthorize "github.com/networkservicemesh/sdk/pkg/tools/monitorconnection/authorize"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"google.golang.org/grpc"

	"crosswire.test/nsm-peers/internal/program"
)

type settings struct {
	program.Settings
	Name        string        `required:"true"`
	ListenOn    []url.URL     `required:"true" split_words:"true"`
	RegistryURL url.URL       `required:"true" split_words:"true"`
	DialTimeout time.Duration `default:"750ms" split_words:"true"`
}

func main() {
	var s settings
	p, end := program.Start(&s, &s.Settings)
	defer end()

	onServer := registryauthorize.WithPolicies(program.RegistryServerPolicies...)
	onClient := registryauthorize.WithPolicies(program.RegistryClientPolicies...)
	connections := genericsync.Map[spiffeid.ID, *genericsync.Map[string, struct{}]]{}
	manager := nsmgr.NewServer(p, p.Tokens,
		nsmgr.WithName(s.Name),
		nsmgr.WithURL(forOtherNodes(s.ListenOn)),
		nsmgr.WithRegistry(&s.RegistryURL),
		nsmgr.WithDialTimeout(s.DialTimeout),
		nsmgr.WithDialOptions(append(p.DialOptions(), grpc.WithBlock())...),
		nsmgr.WithAuthorizeServer(authorize.NewServer(authorize.WithSpiffeIDConnectionMap(&connections))),
		nsmgr.WithAuthorizeMonitorConnectionServer(monitorauthorize.NewMonitorConnectionServer(
			monitorauthorize.WithSpiffeIDConnectionMap(&connections))),
		nsmgr.WithAuthorizeNSERegistryServer(registryauthorize.NewNetworkServiceEndpointRegistryServer(onServer)),
		nsmgr.WithAuthorizeNSERegistryClient(registryauthorize.NewNetworkServiceEndpointRegistryClient(onClient)),
		nsmgr.WithAuthorizeNSRegistryServer(registryauthorize.NewNetworkServiceRegistryServer(onServer)),
		nsmgr.WithAuthorizeNSRegistryClient(registryauthorize.NewNetworkServiceRegistryClient(onClient)),
	)
	server := p.Server(grpcfd.TransportCredentials(p.ServerCredentials()))
	manager.Register(server)
	for i := range s.ListenOn {
		p.Serve(server, &s.ListenOn[i])
	}
	p.Log().Infof("Startup completed in %s", p.Started())
	<-p.Signalled.Done()
}

// Managers of other nodes come by TCP.
func forOtherNodes(listenOn []url.URL) string {
	for _, u := range listenOn {
		if u.Scheme == "tcp" {
			return u.String()
		}
	}
	return listenOn[0].String()
}
