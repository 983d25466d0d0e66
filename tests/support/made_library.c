/* SPDX-License-Identifier: MIT */
#include "support/made_library.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of every function the last thing is not a call, so that all of them return. */
static const char source[] =
	"#define OWN __attribute__((noinline, noclone))\n"
	"#define KEEP __asm__ volatile(\"\" ::: \"memory\")\n"
	"typedef void (*call_t)(void *);\n"
	"static volatile long calls;\n"
	"#define PLAIN(...) { calls++; return 1; }\n"
	"#define CALLING { if (call) call(ctx); KEEP; return (int)result; }\n"
	"OWN void *SSL_CTX_new(void *result) { calls++; return result; }\n"
	"OWN long SSL_CTX_ctrl(void *c, int command, long n, void *p) PLAIN()\n"
	"OWN int SSL_CTX_set_cipher_list(void *c, const char *text) PLAIN()\n"
	"OWN int SSL_CTX_load_verify_locations(void *c, const char *f, const char *d) PLAIN()\n"
	"OWN int SSL_read(void *s) PLAIN()\n"
	"OWN int SSL_write(void *s) PLAIN()\n"
	"OWN int EVP_CipherInit_ex(void *c, const int *n, void *e, const void *k, const void *i,\n"
	"                          int encrypt) PLAIN()\n"
	"OWN int EVP_DigestFinal_ex(const int *const *context) PLAIN()\n"
	"OWN int EVP_PKEY_CTX_ctrl_str(void *c, const char *name, const char *value) PLAIN()\n"
	"OWN int RSA_generate_key_ex(void *key, int bits) PLAIN()\n"
	"OWN int X509_verify_cert(call_t call, void *ctx, long result) CALLING\n"
	"OWN int X509_check_host(call_t call, void *ctx, long result) CALLING\n"
	"OWN int X509_check_ip(call_t call, void *ctx, long result)\n"
	"{ return X509_check_host(call, ctx, result); }\n"
	"OWN int X509_digest(call_t call, void *ctx, long result) CALLING\n"
	"OWN int X509_check_ip_asc(call_t call, const char *ctx, long result) CALLING\n"
	"OWN void *X509_get_ext_d2i(const void *c, int number) { calls++; return (void *)0; }\n"
	"OWN int made_call(call_t call, void *ctx, long result) CALLING\n"
	"OWN void *made_get_ext(const void *c, int number)\n"
	"{ void *p = X509_get_ext_d2i(c, number); KEEP; calls++; return p; }\n";

static const char main_source[] = "#include <unistd.h>\n"
				  "int EVP_MD_fetch(void) { return 0; }\n" /* since OpenSSL 3 */
				  "int main(void)\n"
				  "{\n"
				  "	char byte;\n"
				  "	while (read(0, &byte, 1) == 1) {\n"
				  "		SSL_CTX_set_cipher_list((void *)0, \"program\");\n"
				  "		if (write(1, &byte, 1) != 1) return 1;\n"
				  "	}\n"
				  "	return 0;\n"
				  "}\n";

static void die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	abort();
}

/* The compiler, with what FD reads as its source. */
static void __attribute__((noreturn)) compile(int fd, const char *path, bool is_program)
{
	const char *const kind = is_program ? "-rdynamic" : "-shared";

	dup2(fd, STDIN_FILENO);
	execlp("cc", "cc", "-x", "c", "-O2", kind, is_program ? "-fPIE" : "-fPIC", "-w",
	       "-Wl,-Bsymbolic", "-Wl,-z,separate-code", "-o", path, "-", (char *)NULL);
	_exit(127);
}

static bool make(const char *path, bool is_program)
{
	size_t main_size = is_program ? sizeof(main_source) - 1 : 0;
	int ends[2];
	int status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		die(path, "pipe2");
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		compile(ends[0], path, is_program);
	}
	close(ends[0]);
	/* It is smaller than a pipe. */
	if (write(ends[1], source, sizeof(source) - 1) != (ssize_t)sizeof(source) - 1 ||
	    write(ends[1], main_source, main_size) != (ssize_t)main_size)
		die(path, "write");
	close(ends[1]);
	if (waitpid(pid, &status, 0) != pid)
		die(path, "waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return false;
	if (status)
		die(path, "it cannot be compiled");
	return true;
}

bool made_library(const char *path)
{
	return make(path, false);
}

bool made_program(const char *path)
{
	return make(path, true);
}

static const struct {
	const char *name;
	size_t at;
} exports[] = {
#define EXPORT(name)                                                                               \
	{                                                                                          \
#name, offsetof(struct made_functions, name)                                       \
	}
	EXPORT(SSL_CTX_new),
	EXPORT(SSL_CTX_ctrl),
	EXPORT(SSL_CTX_set_cipher_list),
	EXPORT(SSL_CTX_load_verify_locations),
	EXPORT(SSL_read),
	EXPORT(SSL_write),
	EXPORT(EVP_CipherInit_ex),
	EXPORT(EVP_DigestFinal_ex),
	EXPORT(EVP_PKEY_CTX_ctrl_str),
	EXPORT(RSA_generate_key_ex),
	EXPORT(X509_verify_cert),
	EXPORT(X509_check_host),
	EXPORT(X509_check_ip),
	EXPORT(X509_check_ip_asc),
	EXPORT(X509_digest),
	EXPORT(X509_get_ext_d2i),
	EXPORT(made_get_ext),
	EXPORT(made_call),
#undef EXPORT
};

void *made_load(const char *path, struct made_functions *ret)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		die(path, dlerror());
	for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]); i++) {
		void *address = dlsym(handle, exports[i].name);

		if (!address)
			die(path, exports[i].name);
		memcpy((char *)ret + exports[i].at, &address, sizeof(address));
	}
	return handle;
}

struct place {
	uintptr_t address;
	unsigned long offset;
};

static int find_place(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct place *place = ctx;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + header->p_vaddr;

		if (header->p_type != PT_LOAD || place->address < start ||
		    place->address - start >= header->p_filesz)
			continue;
		place->offset = place->address - start + header->p_offset;
		return 1;
	}
	return 0;
}

unsigned long made_offset(const void *function)
{
	struct place place = { .address = (uintptr_t)function };

	if (!dl_iterate_phdr(find_place, &place))
		die("made_offset", "no such function");
	return place.offset;
}
