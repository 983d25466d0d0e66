/* SPDX-License-Identifier: MIT */
/*
 * Maps crypto libraries in all sorts of ways, and files that only look like them. The identity and
 * the build id of each are read from the file itself.
 *
 * usage: lib_load_trigger DIR [CASE...]
 *        lib_load_trigger DIR wait        loads, after SIGUSR1
 *
 * LIBSSL and LIBCRYPTO are the paths of these libraries without symbolic links, FAMILIES a list of
 * PATH=FAMILY, one a line. DIR/copies holds copies of both libraries, DIR/root/lib too, for
 * chroot(2).
 */
#include "../../support/trigger.h"

#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>

#define NOBODY	     65534
#define NR_PROCESSES 50

static const char *dir;
static const char *libssl;
static const char *libcrypto;
static const char *name = "lib_load_trigge";

static const char *in_dir(const char *file)
{
	static char paths[4][PATH_MAX];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, PATH_MAX, "%s/%s", dir, file);
	return path;
}

/* The whole of a file, mapped. */
struct file {
	const unsigned char *bytes;
	struct stat st;
};

static struct file file_read(const char *path)
{
	struct file file;
	int fd = (int)must(open(path, O_RDONLY));

	must(fstat(fd, &file.st));
	file.bytes = mmap(NULL, (size_t)file.st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file.bytes == MAP_FAILED)
		die("mmap '%s'", path);
	close(fd);
	return file;
}

/* Looks for the GNU build id among the SIZE bytes of notes at BYTES. */
static bool add_note(const unsigned char *bytes, size_t size)
{
	while (size > sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *note = (const void *)bytes;
		size_t owner = (note->n_namesz + 3U) & ~3U;
		size_t whole = sizeof(*note) + owner + ((note->n_descsz + 3U) & ~3U);

		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4) {
			line_add(",\"build_id\":\"");
			for (size_t i = 0; i < note->n_descsz; i++)
				line_add("%02x", bytes[sizeof(*note) + owner + i]);
			line_add("\"");
			return true;
		}
		if (whole > size)
			break;
		bytes += whole;
		size -= whole;
	}
	return false;
}

static void add_build_id(const struct file *file)
{
	const Elf64_Ehdr *header = (const void *)file->bytes;
	const Elf64_Phdr *parts = (const void *)(file->bytes + header->e_phoff);

	for (int i = 0; i < header->e_phnum; i++)
		if (parts[i].p_type == PT_NOTE &&
		    add_note(file->bytes + parts[i].p_offset, parts[i].p_filesz))
			return;
}

/* Expects that PATH, which is FILE, was mapped as LIBRARY of FAMILY. */
static void expect_file(const struct file *file, const char *library, const char *family)
{
	const char *slash = strrchr(library, '/');

	line_begin("lib_load", getpid(), getppid(), getuid(), name);
	line_str("library", library);
	line_str("library_name", slash ? slash + 1 : library);
	line_str("family", family);
	line_dev(file->st.st_dev);
	line_u64("inode", file->st.st_ino);
	add_build_id(file);
	line_end();
}

static void expect_load(const char *path, const char *family)
{
	struct file file = file_read(path);

	expect_file(&file, path, family);
	munmap((void *)file.bytes, (size_t)file.st.st_size);
}

static void *load(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW);

	if (!handle)
		die("%s", dlerror());
	return handle;
}

static void as_dependency(void)
{
	load(libssl);
	expect_load(libssl, "openssl");
	expect_load(libcrypto, "openssl");
}

static void twice(void)
{
	dlclose(load(libcrypto));
	load(libcrypto);
	load(libcrypto);
	if (!dlmopen(LM_ID_NEWLM, libcrypto, RTLD_NOW))
		die("%s", dlerror());
	expect_load(libcrypto, "openssl");
}

static void by_symlink(void)
{
	must(symlink(libcrypto, in_dir("plugin.so")));
	load(in_dir("plugin.so"));
	expect_load(libcrypto, "openssl");
}

/* By its name it is something else. */
static void by_another_name(void)
{
	must(link(in_dir("copies/libcrypto.so.3"), in_dir("libother.so")));
	load(in_dir("libother.so"));
}

static void copy_and_original(void)
{
	load(libcrypto);
	if (!dlmopen(LM_ID_NEWLM, in_dir("copies/libcrypto.so.3"), RTLD_NOW))
		die("%s", dlerror());
	expect_load(libcrypto, "openssl");
	expect_load(in_dir("copies/libcrypto.so.3"), "openssl");
}

/* Maps PATH with PROT. As the loader does it reads its beginning first. */
static void *map(const char *path, int prot)
{
	char bytes[4096];
	int fd = (int)must(open(path, O_RDONLY));

	must(read(fd, bytes, sizeof(bytes)));

	void *memory = mmap(NULL, 4096, prot, MAP_PRIVATE, fd, 0);

	if (memory == MAP_FAILED)
		die("mmap '%s'", path);
	close(fd);
	return memory;
}

static void not_executable(void)
{
	char bytes[4096];
	int fd = (int)must(open(libcrypto, O_RDONLY));

	map(libcrypto, PROT_NONE);
	map(libcrypto, PROT_READ);
	map(libcrypto, PROT_READ | PROT_WRITE);
	must(read(fd, bytes, sizeof(bytes)));
	close(fd);
}

static void only_alike(void)
{
	static const char *const names[] = {
		"my libssl notes.txt", "libssl notes.txt", "libssl",
		"libssl.so.txt",       "libsslclient.so",  "xlibssl.so.3"
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = (int)must(open(in_dir(names[i]), O_WRONLY | O_CREAT, 0644));

		if (write(fd, "notes", 5) != 5)
			die("write");
		close(fd);
		map(in_dir(names[i]), PROT_READ);
		map(in_dir(names[i]), PROT_READ | PROT_EXEC);
	}
}

/* What becomes executable later has been loaded then. */
static void by_mprotect(void)
{
	void *memory = map(libcrypto, PROT_READ);

	must(mprotect(memory, 4096, PROT_READ | PROT_EXEC));
	expect_load(libcrypto, "openssl");
}

static void every_family(void)
{
	char *list = strdup(getenv("FAMILIES"));

	for (char *at = strtok(list, "\n"); at; at = strtok(NULL, "\n")) {
		char *family = strchr(at, '=');

		*family++ = '\0';
		map(at, PROT_READ | PROT_EXEC);
		expect_load(at, family);
	}
}

static void another_user(void)
{
	load(libcrypto);
	expect_load(libcrypto, "openssl");
	must(setresuid(NOBODY, NOBODY, NOBODY));
	load(libssl);
	expect_load(libssl, "openssl");
}

static void new_name(void)
{
	load(libcrypto);
	expect_load(libcrypto, "openssl");
	must(prctl(PR_SET_NAME, "a new name"));
	load(libssl);
	name = "a new name";
	expect_load(libssl, "openssl");
}

static void again_after_exec(void)
{
	load(libcrypto);
	expect_load(libcrypto, "openssl");
	must(execl("/proc/self/exe", "lib_load_trigger", dir, "after exec", NULL));
}

/* The image that again_after_exec() becomes, still its process. */
static void after_exec(void)
{
	case_name = "exec";
	name = own_name();
	load(libcrypto);
	expect_load(libcrypto, "openssl");
}

/* What a child has from its parent it does not load; what it loads its parent does not. */
static void in_children(void)
{
	load(libcrypto);
	expect_load(libcrypto, "openssl");
	for (int i = 0; i < NR_PROCESSES; i++) {
		pid_t child = (pid_t)must(fork());

		if (child == 0) {
			line_pid(getpid());
			load(libcrypto);
			load(libssl);
			expect_load(libssl, "openssl");
			_exit(0);
		}
		wait_good(child);
	}
}

static void *load_in_thread(void *unused)
{
	must(prctl(PR_SET_NAME, "loader"));
	load(libcrypto);
	expect_load(libcrypto, "openssl");
	return unused;
}

static void in_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, load_in_thread, NULL))
		die("pthread_create");
	pthread_join(thread, NULL);
}

static void behind_chroot(void)
{
	struct file crypto = file_read(in_dir("root/lib/libcrypto.so.3"));
	struct file ssl = file_read(in_dir("root/lib/libssl.so.3"));

	must(chroot(in_dir("root")));
	must(chdir("/"));
	load("/lib/libcrypto.so.3");
	load("/lib/libssl.so.3");
	expect_file(&crypto, "/lib/libcrypto.so.3", "openssl");
	expect_file(&ssl, "/lib/libssl.so.3", "openssl");
}

/* As in a container: other mounts at the places that the host knows otherwise. */
static void behind_mounts(void)
{
	must(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET));
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mkdir(in_dir("mnt"), 0755));
	must(mount("none", in_dir("mnt"), "tmpfs", 0, NULL));
	must(mkdir(in_dir("mnt/bind"), 0755));
	must(mount(in_dir("copies"), in_dir("mnt/bind"), NULL, MS_BIND, NULL));
	load(in_dir("mnt/bind/libcrypto.so.3"));
	expect_load(in_dir("mnt/bind/libcrypto.so.3"), "openssl");
}

/* Ends at once: the mapping is all that is left of it. */
static void short_lived(void)
{
	for (int i = 0; i < NR_PROCESSES; i++) {
		pid_t child = (pid_t)must(fork());

		if (child == 0) {
			map(libcrypto, PROT_READ | PROT_EXEC);
			_exit(0);
		}

		struct file file = file_read(libcrypto);

		wait_good(child);
		line.size = 0;
		line_pid(child);
		line_begin("lib_load", child, getpid(), 0, name);
		line_str("library", libcrypto);
		line_str("library_name", strrchr(libcrypto, '/') + 1);
		line_str("family", "openssl");
		line_dev(file.st.st_dev);
		line_u64("inode", file.st.st_ino);
		add_build_id(&file);
		line_end();
		munmap((void *)file.bytes, (size_t)file.st.st_size);
	}
}

static const struct test_case cases[] = {
	{ "dependency", as_dependency }, { "twice", twice },
	{ "symlink", by_symlink },	 { "another name", by_another_name },
	{ "copy", copy_and_original },	 { "not executable", not_executable },
	{ "alike", only_alike },	 { "mprotect", by_mprotect },
	{ "families", every_family },	 { "another user", another_user },
	{ "new name", new_name },	 { "exec", again_after_exec },
	{ "children", in_children },	 { "thread", in_a_thread },
	{ "chroot", behind_chroot },	 { "mounts", behind_mounts },
	{ "short-lived", short_lived },
};

static void load_when_told(void)
{
	sigset_t usr1;
	int number;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &usr1, NULL));
	case_name = "wait";
	line_pid(getpid());
	sigwait(&usr1, &number);
	load(libcrypto);
	expect_load(libcrypto, "openssl");
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[2] : "";

	if (argc < 2)
		return 2;
	dir = argv[1];
	libssl = getenv("LIBSSL");
	libcrypto = getenv("LIBCRYPTO");
	if (!libssl || !libcrypto)
		return 2;
	if (strcmp(mode, "wait") == 0)
		load_when_told();
	else if (strcmp(mode, "after exec") == 0)
		after_exec();
	else
		cases_run(cases, ARRAY_SIZE(cases), argv + 2);
	return 0;
}
