// SPDX-License-Identifier: Apache-2.0

// Package registration tells a registry of an endpoint and of its services.
package registration

import (
	"net/url"

	registryapi "github.com/networkservicemesh/api/pkg/api/registry"
	registryclient "github.com/networkservicemesh/sdk/pkg/registry/chains/client"
	"github.com/networkservicemesh/sdk/pkg/registry/common/authorize"
	"github.com/networkservicemesh/sdk/pkg/registry/common/clientinfo"
	"github.com/networkservicemesh/sdk/pkg/registry/common/sendfd"
	"google.golang.org/grpc"

	"crosswire.test/nsm-peers/internal/program"
)

// Endpoint is what a program offers at a URL.
type Endpoint struct {
	Name     string
	URL      *url.URL
	Services []string
	Payload  string
	// WithServices: nobody else has registered these.
	WithServices bool
}

// Register keeps it alive from then on: the sdk's client refreshes what it registered, and registers again with a new
// manager. Not taken back at the end: it expires.
func Register(p *program.Program, at *url.URL, endpoint *Endpoint) {
	options := []registryclient.Option{
		registryclient.WithClientURL(at),
		registryclient.WithDialOptions(append(p.DialOptions(grpc.WaitForReady(true)), grpc.WithBlock())...),
	}
	policies := authorize.WithPolicies(program.RegistryClientPolicies...)

	if endpoint.WithServices {
		client := registryclient.NewNetworkServiceRegistryClient(p, append(options,
			registryclient.WithAuthorizeNSRegistryClient(authorize.NewNetworkServiceRegistryClient(policies)))...)
		for _, name := range endpoint.Services {
			_, err := client.Register(p, &registryapi.NetworkService{Name: name, Payload: endpoint.Payload})
			p.Need(err)
		}
	}

	labels := make(map[string]*registryapi.NetworkServiceLabels)
	for _, name := range endpoint.Services {
		labels[name] = &registryapi.NetworkServiceLabels{}
	}
	client := registryclient.NewNetworkServiceEndpointRegistryClient(p, append(options,
		registryclient.WithNSEAdditionalFunctionality(
			clientinfo.NewNetworkServiceEndpointRegistryClient(),
			sendfd.NewNetworkServiceEndpointRegistryClient(),
		),
		registryclient.WithAuthorizeNSERegistryClient(authorize.NewNetworkServiceEndpointRegistryClient(policies)),
	)...)
	_, err := client.Register(p, &registryapi.NetworkServiceEndpoint{
		Name:                 endpoint.Name,
		NetworkServiceNames:  endpoint.Services,
		NetworkServiceLabels: labels,
		Url:                  endpoint.URL.String(),
	})
	p.Need(err)
}
