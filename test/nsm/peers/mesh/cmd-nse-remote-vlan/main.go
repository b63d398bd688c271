// SPDX-License-Identifier: Apache-2.0

// An endpoint without an interface: it leads clients to networks that are there already, each by the name of a gateway,
// which every forwarder knows as a device of its own node, and a VLAN behind it. Its addresses are from one pool. It is no
// workload of a node: it listens on TCP, and registers at the registry itself.
package main

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strconv"

	"github.com/edwarnicke/grpcfd"
	"github.com/golang/protobuf/ptypes/empty"
	"github.com/networkservicemesh/api/pkg/api/networkservice"
	"github.com/networkservicemesh/api/pkg/api/networkservice/mechanisms/vlan"
	"github.com/networkservicemesh/api/pkg/api/networkservice/payload"
	"github.com/networkservicemesh/sdk/pkg/networkservice/chains/endpoint"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/authorize"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms/recvfd"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms/sendfd"
	"github.com/networkservicemesh/sdk/pkg/networkservice/core/next"
	"github.com/networkservicemesh/sdk/pkg/networkservice/ipam/groupipam"
	"github.com/networkservicemesh/sdk/pkg/networkservice/ipam/singlepointipam"
	"github.com/networkservicemesh/sdk/pkg/tools/cidr"

	"crosswire.test/nsm-peers/internal/program"
	"crosswire.test/nsm-peers/internal/registration"
)

type settings struct {
	program.Settings
	Name            string      `default:"vlan-server"`
	ConnectTo       url.URL     `required:"true" split_words:"true"`
	ListenOn        url.URL     `required:"true" split_words:"true"`
	Services        networks    `required:"true"`
	CidrPrefix      cidr.Groups `required:"true" split_words:"true"`
	RegisterService bool        `default:"true" split_words:"true"`
}

type network struct {
	vlan uint32
	via  string
}

// By the name of the service.
type networks map[string]network

var oneNetwork = regexp.MustCompile(`^\s*([\w-]+)\s*\{\s*vlan:\s*(\d+);\s*via:\s*([\w-]+)\s*\}\s*(?:,|$)`)

// Decode reads `SERVICE { vlan: ID; via: GATEWAY }, …`.
func (n *networks) Decode(text string) error {
	*n = make(networks)
	for rest := text; rest != ""; {
		found := oneNetwork.FindStringSubmatch(rest)
		if found == nil {
			return fmt.Errorf("not 'SERVICE { vlan: ID; via: GATEWAY }': %s", rest)
		}
		id, err := strconv.ParseUint(found[2], 10, 12)
		if err != nil {
			return err
		}
		(*n)[found[1]] = network{vlan: uint32(id), via: found[3]}
		rest = rest[len(found[0]):]
	}
	return nil
}

// Request answers with the VLAN; the gateway takes the place of all labels. The device decides on the MTU.
func (n networks) Request(ctx context.Context, request *networkservice.NetworkServiceRequest) (*networkservice.Connection, error) {
	conn := request.GetConnection()
	there, ok := n[conn.GetNetworkService()]
	if !ok {
		return nil, fmt.Errorf("no such network service here: %s", conn.GetNetworkService())
	}
	vlan.ToMechanism(conn.GetMechanism()).SetVlanID(there.vlan)
	conn.Labels = map[string]string{"via": there.via}
	conn.GetContext().MTU = 0
	return next.Server(ctx).Request(ctx, request)
}

// Close has nothing to undo.
func (n networks) Close(ctx context.Context, conn *networkservice.Connection) (*empty.Empty, error) {
	return next.Server(ctx).Close(ctx, conn)
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
			groupipam.NewServer(s.CidrPrefix, groupipam.WithCustomIPAMServer(singlepointipam.NewServer)),
			recvfd.NewServer(),
			mechanisms.NewServer(map[string]networkservice.NetworkServiceServer{vlan.MECHANISM: s.Services}),
			sendfd.NewServer(),
		),
	).Register(server)
	p.Serve(server, &s.ListenOn)

	names := make([]string, 0, len(s.Services))
	for name := range s.Services {
		names = append(names, name)
	}
	registration.Register(p, &s.ConnectTo, &registration.Endpoint{
		Name: s.Name, URL: &s.ListenOn, Services: names, Payload: payload.Ethernet, WithServices: s.RegisterService,
	})
	p.Log().Infof("startup completed in %s", p.Started())
	<-p.Signalled.Done()
}
