/* A stand-in for libnvidia-ml.so.1: as many devices as asked for, with readings that a test can foretell.
 *
 * SEKISHO_NVML_STUB is a list of words: gpus=N, mig=N (slices on device 0), no-gpm, no-energy, no-permission,
 * lost-after=N (device 1 answers N times), xid-after=N (device 0), reset-after=N (energy of device 0 starts again),
 * slow-us=N (each reading of activity takes so long), no-driver, util=N (per cent, of every device), power-mw=N,
 * busy-pid=N (computes on device 0), bad-name (device 0 tells none), fallen=N (device N answers no more). Devices are counted when the library is
 * initialised. Our own code against the public interface: names,
 * arguments and layouts only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, INVALID = 2, UNSUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, TOO_SMALL = 7, NO_DRIVER = 9, TIMEOUT = 10, LOST = 15 };
enum { MOST = 64, SLICES = 7, SM_CLOCK = 1 };

typedef struct { int index, slice, asked; } device;
typedef struct { int number; } sample;
typedef struct { unsigned gpu, memory; } utilisation;
typedef struct { unsigned long long total, available, used; } memory;
typedef struct { unsigned sms, copy, dec, enc, jpeg, ofa, gpu_slices, compute_slices; unsigned long long mb; } attributes;
typedef struct { unsigned id; int result; double value; struct { char *a, *b, *c; } info; } metric;
typedef struct { unsigned version, count; sample *older, *newer; metric metrics[1]; } question;
typedef struct { unsigned version, supported; } support;
typedef struct { char old[16]; unsigned domain, bus, slot, id, sub; char bus_id[32]; } pci;
typedef struct { unsigned pid; unsigned long long used; unsigned gi, ci; } process;
typedef struct { device *from; unsigned long long type, data; unsigned gi, ci; } event;

static device whole[MOST], parts[SLICES];
static int told, counted;

static int asked_for(const char *word) {
    const char *all = getenv("SEKISHO_NVML_STUB"), *found = all ? strstr(all, word) : NULL;
    if (!found) return -1;
    found += strlen(word);
    return *found == '=' ? atoi(found + 1) : 1;
}
static int count(void) { return counted; }
static int is_lost(device *d) { int n = asked_for("lost-after"); return (n >= 0 && d->index == 1 && d->asked > n) || asked_for("fallen") == d->index; }

int nvmlInitWithFlags(unsigned flags) {
    int n = asked_for("gpus");
    (void)flags; counted = n < 0 ? 1 : n > MOST ? MOST : n;
    return asked_for("no-driver") > 0 ? NO_DRIVER : OK;
}
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return code == LOST ? "GPU is lost" : "stub error"; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = (unsigned)count(); return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, device **d) {
    if ((int)i >= count()) return INVALID;
    whole[i].index = (int)i; whole[i].slice = -1; *d = &whole[i];
    return OK;
}
int nvmlDeviceGetUUID(device *d, char *text, unsigned size) {
    if (d->index == 0 && asked_for("bad-name") > 0) return LOST;
    snprintf(text, size, "GPU-00000000-0000-0000-0000-%012d", d->index);
    return OK;
}
int nvmlDeviceGetName(device *d, char *text, unsigned size) {
    (void)d; snprintf(text, size, "NVIDIA H100 80GB HBM3");
    return OK;
}
int nvmlDeviceGetUtilizationRates(device *d, utilisation *u) {
    if (is_lost(d)) return LOST;
    u->gpu = asked_for("util") >= 0 ? (unsigned)asked_for("util") : 90u + (unsigned)d->index; u->memory = 10;
    return OK;
}
int nvmlDeviceGetClockInfo(device *d, int kind, unsigned *mhz) {
    (void)d; *mhz = kind == SM_CLOCK ? 1755u : 2619u;
    return OK;
}
int nvmlDeviceGetPowerUsage(device *d, unsigned *mw) {
    if (asked_for("no-permission") > 0) return NO_PERMISSION;
    *mw = asked_for("power-mw") >= 0 ? (unsigned)asked_for("power-mw") : 600000u + (unsigned)d->index;
    return OK;
}
int nvmlDeviceGetEnforcedPowerLimit(device *d, unsigned *mw) { (void)d; *mw = 700000u; return OK; }
int nvmlDeviceGetPciInfo_v3(device *d, pci *p) {
    memset(p, 0, sizeof *p); snprintf(p->bus_id, sizeof p->bus_id, "00000000:%02X:00.0", 16 + d->index);
    return OK;
}
int nvmlDeviceGetComputeRunningProcesses_v3(device *d, unsigned *n, process *found) {
    int pid = asked_for("busy-pid");
    if (asked_for("no-permission") > 0) return NO_PERMISSION;
    if (d->index || pid < 0) { *n = 0; return OK; }
    if (*n < 1) { *n = 1; return TOO_SMALL; }
    memset(found, 0, sizeof *found); found->pid = (unsigned)pid; *n = 1;
    return OK;
}
int nvmlDeviceGetTotalEnergyConsumption(device *d, unsigned long long *mj) {
    int reset = asked_for("reset-after");
    if (asked_for("no-energy") > 0) return UNSUPPORTED;
    d->asked++;
    *mj = 1000000ull + 60000ull * (unsigned long long)d->asked;
    if (reset >= 0 && d->index == 0 && d->asked > reset) *mj = 60000ull * (unsigned long long)(d->asked - reset);
    return OK;
}
int nvmlDeviceGetMemoryInfo(device *d, memory *m) {
    (void)d; m->total = 80ull << 30; m->used = 40ull << 30; m->available = m->total - m->used;
    return OK;
}
int nvmlDeviceGetPcieThroughput(device *d, int counter, unsigned *kib) { (void)d; *kib = counter ? 2048 : 1024; return OK; }
int nvmlDeviceGetMigMode(device *d, unsigned *now, unsigned *pending) {
    *now = *pending = d->index == 0 && asked_for("mig") > 0;
    return OK;
}
int nvmlDeviceGetMaxMigDeviceCount(device *d, unsigned *n) { (void)d; *n = SLICES; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(device *d, unsigned i, device **part) {
    /* Every other number is in use, as after some slices were taken away again. */
    if (i % 2 || (int)i / 2 >= asked_for("mig")) return NOT_FOUND;
    parts[i].index = d->index; parts[i].slice = (int)i + 3; *part = &parts[i];
    return OK;
}
int nvmlDeviceGetGpuInstanceId(device *d, unsigned *id) { *id = (unsigned)d->slice; return OK; }
int nvmlDeviceGetAttributes_v2(device *d, attributes *a) {
    (void)d; memset(a, 0, sizeof *a); a->gpu_slices = 2; a->compute_slices = 2;
    return OK;
}
int nvmlGpmQueryDeviceSupport(device *d, support *s) { (void)d; s->supported = asked_for("no-gpm") < 0; return OK; }
int nvmlGpmSampleAlloc(sample **s) { *s = calloc(1, sizeof **s); return OK; }
int nvmlGpmSampleFree(sample *s) { free(s); return OK; }
int nvmlGpmSampleGet(device *d, sample *s) {
    int slow = asked_for("slow-us");
    if (asked_for("no-permission") > 0) return NO_PERMISSION;
    if (slow > 0) usleep((unsigned)slow);
    s->number = d->index;
    return OK;
}
int nvmlGpmMigSampleGet(device *d, unsigned gi, sample *s) { (void)d; s->number = 10 + (int)gi; return OK; }
int nvmlGpmMetricsGet(question *q) {
    for (unsigned i = 0; i < q->count; i++) {
        metric *m = &q->metrics[i];
        m->result = m->id == 11 ? UNSUPPORTED : OK; /* 64-bit pipe: as on a part that lacks the counter */
        m->value = m->id == 5 ? 55.5 + q->newer->number : (double)m->id;
    }
    return OK;
}
int nvmlEventSetCreate(void **set) { *set = &told; return OK; }
int nvmlEventSetFree(void *set) { (void)set; return OK; }
int nvmlDeviceRegisterEvents(device *d, unsigned long long kinds, void *set) { (void)d; (void)kinds; (void)set; return OK; }
int nvmlEventSetWait_v2(void *set, event *e, unsigned ms) {
    int after = asked_for("xid-after");
    (void)set; (void)ms;
    if (after < 0 || told || whole[0].asked < after) return TIMEOUT;
    told = 1; memset(e, 0, sizeof *e); e->from = &whole[0]; e->type = 8; e->data = 31;
    return OK;
}
