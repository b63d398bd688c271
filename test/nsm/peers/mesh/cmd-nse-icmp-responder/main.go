// SPDX-License-Identifier: Apache-2.0

// The sdk's endpoint with a kernel interface in its own namespace and addresses from a pool. The kernel answers pings.
package main

import (
	"net/url"
	"os"
	"path/filepath"

	"github.com/edwarnicke/grpcfd"
	"github.com/networkservicemesh/api/pkg/api/networkservice"
	kernelmech "github.com/networkservicemesh/api/pkg/api/networkservice/mechanisms/kernel"
	registryapi "github.com/networkservicemesh/api/pkg/api/registry"
	"github.com/networkservicemesh/sdk/pkg/networkservice/chains/endpoint"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/authorize"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms/kernel"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms/sendfd"
	"github.com/networkservicemesh/sdk/pkg/networkservice/connectioncontext/dnscontext"
	"github.com/networkservicemesh/sdk/pkg/networkservice/ipam/groupipam"
	registryclient "github.com/networkservicemesh/sdk/pkg/registry/chains/client"
	registryauthorize "github.com/networkservicemesh/sdk/pkg/registry/common/authorize"
	"github.com/networkservicemesh/sdk/pkg/registry/common/clientinfo"
	registrysendfd "github.com/networkservicemesh/sdk/pkg/registry/common/sendfd"
	"github.com/networkservicemesh/sdk/pkg/tools/cidr"
	"google.golang.org/grpc"

	"crosswire.test/nsm-peers/internal/program"
)

type settings struct {
	program.Settings
	Name            string      `required:"true"`
	ConnectTo       url.URL     `required:"true" split_words:"true"`
	ServiceNames    []string    `required:"true" split_words:"true"`
	Payload         string      `default:"ETHERNET"`
	CidrPrefix      cidr.Groups `required:"true" split_words:"true"`
	RegisterService bool        `default:"true" split_words:"true"`
}

func main() {
	var s settings
	p, end := program.Start(&s, &s.Settings)
	defer end()

	server := p.Server(grpcfd.TransportCredentials(p.ServerCredentials()))
	endpoint.NewServer(p, p.Tokens,
		endpoint.WithName(s.Name),
		endpoint.WithAuthorizeServer(authorize.NewServer()),
		endpoint.WithAdditionalFunctionality(
			groupipam.NewServer(s.CidrPrefix),
			mechanisms.NewServer(map[string]networkservice.NetworkServiceServer{kernelmech.MECHANISM: kernel.NewServer()}),
			dnscontext.NewServer(),
			sendfd.NewServer(),
		),
	).Register(server)
	folder, err := os.MkdirTemp("", s.Name)
	p.Need(err)
	defer func() { _ = os.RemoveAll(folder) }()
	listenOn := &url.URL{Scheme: "unix", Path: filepath.Join(folder, "listen.on")}
	p.Serve(server, listenOn)

	register(p, &s, listenOn)
	p.Log().Infof("startup completed in %s", p.Started())
	<-p.Signalled.Done()
}

// Kept alive from then on: the sdk's client refreshes what it registered, and registers again with a new manager. Not
// taken back at the end: it expires.
func register(p *program.Program, s *settings, listenOn *url.URL) {
	options := []registryclient.Option{
		registryclient.WithClientURL(&s.ConnectTo),
		registryclient.WithDialOptions(append(p.DialOptions(grpc.WaitForReady(true)), grpc.WithBlock())...),
	}
	policies := registryauthorize.WithPolicies(program.RegistryClientPolicies...)

	if s.RegisterService {
		client := registryclient.NewNetworkServiceRegistryClient(p, append(options,
			registryclient.WithAuthorizeNSRegistryClient(registryauthorize.NewNetworkServiceRegistryClient(policies)))...)
		for _, name := range s.ServiceNames {
			_, err := client.Register(p, &registryapi.NetworkService{Name: name, Payload: s.Payload})
			p.Need(err)
		}
	}

	labels := make(map[string]*registryapi.NetworkServiceLabels)
	for _, name := range s.ServiceNames {
		labels[name] = &registryapi.NetworkServiceLabels{}
	}
	client := registryclient.NewNetworkServiceEndpointRegistryClient(p, append(options,
		registryclient.WithNSEAdditionalFunctionality(
			clientinfo.NewNetworkServiceEndpointRegistryClient(),
			registrysendfd.NewNetworkServiceEndpointRegistryClient(),
		),
		registryclient.WithAuthorizeNSERegistryClient(registryauthorize.NewNetworkServiceEndpointRegistryClient(policies)),
	)...)
	_, err := client.Register(p, &registryapi.NetworkServiceEndpoint{
		Name:                 s.Name,
		NetworkServiceNames:  s.ServiceNames,
		NetworkServiceLabels: labels,
		Url:                  listenOn.String(),
	})
	p.Need(err)
}
