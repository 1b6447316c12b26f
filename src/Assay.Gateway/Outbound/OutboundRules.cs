using System.Net;
using System.Net.Sockets;

namespace Assay.Gateway.Outbound;

/// <summary>
/// Which addresses this server may call on behalf of a user. Public addresses always; private, loopback, link-local (cloud metadata services
/// live there) and reserved ones only when the operator names them. Immutable, thread-safe. Ranges: RFC 6890 and the IANA special-purpose
/// registries it set up.
/// </summary>
public sealed class OutboundRules
{
    private static readonly IPNetwork[] s_reserved =
    [
        .. new[]
        {
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "::/128",
            "::1/128",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
        }.Select(IPNetwork.Parse),
    ];

    private readonly HashSet<string> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<IPNetwork> _networks = [];

    /// <summary>Reads what the operator allows: host names, addresses and networks (<c>10.1.0.0/16</c>), separated by commas.</summary>
    /// <param name="allowed">The list; null or empty allows public addresses only.</param>
    /// <param name="problem">What cannot be read, or null.</param>
    public static OutboundRules Parse(string? allowed, out string? problem)
    {
        var rules = new OutboundRules();
        problem = null;
        foreach (
            var entry in (allowed ?? "").Split(
                ',',
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
            )
        )
        {
            if (IPAddress.TryParse(entry, out var address))
            {
                rules._networks.Add(
                    new IPNetwork(
                        address,
                        address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128
                    )
                );
            }
            else if (entry.Contains('/') && IPNetwork.TryParse(entry, out var network))
            {
                rules._networks.Add(network);
            }
            else if (Uri.CheckHostName(entry) == UriHostNameType.Dns)
            {
                rules._hosts.Add(entry);
            }
            else
            {
                problem =
                    $"ASSAY_OUTBOUND_ALLOW: '{entry}' is neither a host name nor an address nor a network.";
            }
        }

        return rules;
    }

    /// <summary>True when the operator named this host: whatever it resolves to may be called.</summary>
    public bool AllowsHost(string host) => _hosts.Contains(host);

    /// <summary>True when this address may be called.</summary>
    public bool AllowsAddress(IPAddress address)
    {
        // ::ffff:127.0.0.1 is 127.0.0.1 to the socket, so it must be to us.
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return _networks.Exists(n => n.Contains(plain))
            || !Array.Exists(s_reserved, n => n.Contains(plain));
    }
}
