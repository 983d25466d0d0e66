/* SPDX-License-Identifier: MIT */
/*
 * IPsec: the kernel is asked for two counts, XFRM_MSG_GETSADINFO and XFRM_MSG_GETSPDINFO. It is
 * never asked for the associations: XFRM_MSG_NEWSA carries their keys, and what is not asked for
 * cannot be leaked.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "inventory/host_private.h"
#include "lib/cleanup.h"

/* Answers are some 40 bytes; an error quotes the request. */
#define ANSWER_MAX 1024
/* No errno is above: include/linux/err.h of the kernel. */
#define ERRNO_MAX 4095

struct xfrm_request {
	struct nlmsghdr header;
	uint32_t flags;
};

/* What an error message says: the int behind its header. An acknowledgement is no answer. */
static int parse_error(const uint8_t *at, size_t size)
{
	int32_t error;

	if (size < sizeof(error))
		return -EBADMSG;
	memcpy(&error, at, sizeof(error));
	return error < 0 && error >= -ERRNO_MAX ? error : -EBADMSG;
}

/* Copies RET_SIZE bytes of attribute WANTED. Returns 0 or -EBADMSG. */
static int find_attribute(const uint8_t *at, size_t size, uint16_t wanted, void *ret,
			  size_t ret_size)
{
	struct nlattr attribute;

	while (size >= sizeof(attribute)) {
		size_t step;

		memcpy(&attribute, at, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > size)
			return -EBADMSG;
		if ((attribute.nla_type & NLA_TYPE_MASK) == wanted) {
			if (attribute.nla_len < sizeof(attribute) + ret_size)
				return -EBADMSG;
			memcpy(ret, at + sizeof(attribute), ret_size);
			return 0;
		}
		step = NLA_ALIGN((size_t)attribute.nla_len);
		if (step > size)
			break;
		at += step;
		size -= step;
	}
	return -EBADMSG;
}

int host_parse_xfrm(const void *bytes, size_t size, uint16_t type, uint16_t wanted, void *ret,
		    size_t ret_size)
{
	const uint8_t *at = bytes;
	struct nlmsghdr header;

	if (size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, at, sizeof(header));
	if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > size)
		return -EBADMSG;
	at += sizeof(header);
	size = header.nlmsg_len - sizeof(header);
	if (header.nlmsg_type == NLMSG_ERROR)
		return parse_error(at, size);
	/* before the attributes there are the flags */
	if (header.nlmsg_type != type || size < sizeof(uint32_t))
		return -EBADMSG;
	return find_attribute(at + sizeof(uint32_t), size - sizeof(uint32_t), wanted, ret,
			      ret_size);
}

/* Sends a request of TYPE and reads its answer. Returns as host_parse_xfrm() or errno. */
static int ask(int fd, uint16_t type, uint16_t answer_type, uint16_t wanted, void *ret,
	       size_t ret_size)
{
	const struct xfrm_request request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = type,
		},
		.flags = ~0U, /* iproute2 asks so; the kernel gives them back */
	};
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct sockaddr_nl from = { .nl_family = AF_NETLINK };
	socklen_t from_size = sizeof(from);
	uint8_t answer[ANSWER_MAX];
	ssize_t n = sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel,
			   sizeof(kernel));

	if (n < 0)
		return -errno;
	do {
		n = recvfrom(fd, answer, sizeof(answer), 0, (struct sockaddr *)&from, &from_size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* any process may send to us; only the kernel has port 0 */
	if (from_size != sizeof(from) || from.nl_pid != 0)
		return -EBADMSG;
	return host_parse_xfrm(answer, (size_t)n, answer_type, wanted, ret, ret_size);
}

static int read_counts(struct host_crypto *host)
{
	_cleanup_(cleanup_fd) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	/* the kernel answers before sendto() returns: for the case that it does not */
	const struct timeval timeout = { .tv_sec = 1 };
	struct xfrmu_spdinfo policies = { 0 };
	uint32_t states = 0;
	int err;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	err = ask(fd, XFRM_MSG_GETSADINFO, XFRM_MSG_NEWSADINFO, XFRMA_SAD_CNT, &states,
		  sizeof(states));
	if (err)
		return err;
	err = ask(fd, XFRM_MSG_GETSPDINFO, XFRM_MSG_NEWSPDINFO, XFRMA_SPD_INFO, &policies,
		  sizeof(policies));
	if (err)
		return err;
	host->ipsec_states = states;
	host->ipsec_policies = (uint64_t)policies.incnt + policies.outcnt + policies.fwdcnt;
	host->has_ipsec = true;
	return 0;
}

void host_read_ipsec(struct host_reader *reader, bool use_netlink)
{
	_cleanup_(cleanup_fd) int fd = -1;
	int n;

	if (!use_netlink) {
		host_not_seen(reader, "IPsec: not asked for");
		return;
	}
	/* a socket of a protocol that is not there would have the kernel load a module for it */
	fd = host_open_lines(reader, "proc/net/netlink");
	n = fd < 0 ? fd : host_parse_netlink(reader);
	if (n < 0) {
		host_not_seen(reader, "IPsec: /proc/net/netlink cannot be read");
		return;
	}
	if (n == 0) {
		host_not_seen(reader, "IPsec: the kernel has no xfrm_user loaded");
		return;
	}
	n = read_counts(reader->host);
	if (n == -EPERM || n == -EACCES)
		host_not_seen(reader, "IPsec: needs CAP_NET_ADMIN");
	else if (n < 0)
		host_not_seen(reader, "IPsec: the kernel did not answer");
}
