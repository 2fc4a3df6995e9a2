"""The words that may stay in texts and coded entries of a header: those of the trade, of makers and of agents."""

from __future__ import annotations


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


WORDS = _listed(
    """
    t1 t2 t1w t2w t1wi t2wi pdw t1c t1ce t1gd t1km t2star star pd dp flair fla dark fluid darkfluid tirm tir stir fs
    fatsat fat sat water inphase outphase opp in out phase mag magnitude real imaginary ir mprage mp2rage rage mp
    spgr fspgr irspgr bravo tfe tfl vibe lava thrive cube space spc vista tse fse frfse tgse haste ssfse ssh sshtse
    propeller blade multivane se gr gre ge ffe fl flash spoiled fisp truefisp trufi fiesta bffe cis ciss drive dess
    medic merge mffe swi swan swip venbold mip minip mnip mpr mra mrv tof pc angio ang asl pasl casl pcasl easl perf
    perfusion pwi dsc dce rcbv rcbf cbv cbf mtt ttp tmax qsm bold fmri func functional rest resting task mrs
    spectroscopy press steam csi svs hemo grase epi ep epse ep2d epfid ep3d epfid2d dwi dti diff diffusion
    diffusionw trace tracew hardi resolve rs mddw dwibs adc dadc eadc apparent coefficient fa colfa tensor md ad rd
    exp b0 b50 b500 b1000 calc calculated derived localizer localiser loc scout survey plane smart brain smartbrain
    calibration asset cal sense senseref ref reference b1 map field fieldmap mapping fieldmapping shim topup reverse
    pe ap pa rl lr hf fh si is ax axial axt tra transverse transversal sag sagittal sagt cor coronal cort obl
    oblique iso isotropic d dt ns w wse wffe wtse pre post postcontrast precontrast plain nativ native contrast
    kontrast contrasto gd gado gadolinium km ce mdc mezzo without with wo no non ohne senza con mit and e dyn
    dynamic delayed early late arterial venous head neuro cranium skull crane encefalo cranio testa kopf schaedel
    neck spine cspine tspine lspine c t l s cervical thoracic lumbar wholespine whole body orbit orbits iac
    pituitary sella hippocampus temporal posterior fossa lesion seg segmentation label labels mask tumor volume vol
    slab slices slice stack fov dir dirs directions range first second third segment marked free form empty filled
    na b te tr ti nex nsa avg average averages bw etl tf turbo factor grappa caipi caipirinha cs sms mb multiband
    hyper hyperband hypersense compressed accel accelerated acc arc ipat sensitivity p pat zoom zoomit focus rfov
    fast fastgems slow single multi shot shots scan scans repeat rep rpt new old std standard std2 hires hr high low
    res resolution thin thick fine iso1mm mm cm ms sec hz khz px deg x by 2d 3d 4d 3dt1 3dt2 x1 x2 n norm nd dis
    dis2d dis3d fm fil filtered filter dixon idixon mdixon opposed ideal flex spair spir spectral presat bh breath
    hold breathhold trig triggered gated ecg respiratory navigator nav mot motion moco corr corrected correction
    distortion dico prescan clear normalized normalised interleaved interleave i o to collection head32 headneck ch
    channel coil hrbrain birdcage qd surface flexible array he ne sp tx rx hse mrhr br qr hc bv bf ur uhr hu window
    bone soft tissue lung brainwindow medium ub uc ua lb detail boneplus chst ultra smooth sharp very edge plus
    recon reconstruction reformat idose asir asirv safire admire imr fbp fc osem psf truex vpfx vuepoint hd ac nac
    attenuation uncorrected emission transmission static wb pet ct mr mri nm pt ctac mac petct petmr fdg amyloid seq
    sequence sequential helical spiral axialmode mode tilt gantry rot rotation dual energy mono kev kv kvp ma mas
    dect dose auto care helix topogram topo normal healthy phantom test protocol exam study series acquisition
    image images original primary secondary other none unknown yes false true
    """
)
"""Words of sequences, planes, contrast agents and reconstructions, as vendors and technicians write them."""

TERMS = _listed(
    """
    derived m p r i q adc mixed mosaic vframe multiframe add addition subtract subtraction division none magnitude
    phase real imaginary complex color monochrome monochrome1 monochrome2 rgb palette ybr full partial 422 rct ict
    volume sampled distorted product research service max min mean median ip mip min_ip spin echo gradient inversion
    recovery planar both fast free precession steady state spoiled rf partially spoil rotating skip segmented linear
    centric radial spiral cartesian rectilinear reverse half fourier oversampling cyl cylindrical grappa pils sense
    smash row column other osp sk mtc ss trss sp mp oss sar rg cg ppg ec fc pfp pff sat sat1 sat2 spt gems edr acc
    fs pfi isotropic directional bmatrix col ot dx us cr mg xa xc es gm sm op nm px io hc seg ivus ivoct ecg reg rwv
    fid ctprotocol rtdose rtimage rwvm smr ko pr sr au doc oct oam opm hfs hfp hfdr hfdl ffs ffp ffdr ffdl lfp lfs
    rfp rfs afdr afdl pfdr pfdl right left bqml cnts cps gml bsa bw lbm lbmjames start admin decy attn scat dtim
    motn pmot clnr radl dcal norm ran random recon gated reprojection dynamic static whole body emission
    transmission image perfusion rcbv rcbf angio angiography diffusion anisotropy tensor metabolite
    spectroscopy stress rest temperature velocity localizer flow encoded proton density tagging t2 t1 t2_star tof
    dce dsc linear_exact sigmoid identity normalized hu od z_eff mgml pct ed ew hu_mod iso 10918 1 14495 15444 2
    head brain neck spine cspine tspine lspine chest thorax abdomen pelvis extremity wholebody skull orbit heart
    breast liver kidney prostate hand foot knee shoulder hip bladder pancreas small parts large bowtie fil flat
    wedge butterfly multiple strip slanted cw cc constant_angle stationary sequenced axial seq spi som5 ct csa mpr
    csaparallel parallel dis2d dis3d dis nd fm filtered ct_som5 epi gre se mag phs b0 tracew trace rt cardiology
    oblique segmentation binary fractional probability occupancy manual semiautomatic automatic quantity voxel in
    out opp inphase water fat sum subtracted average averaged filled back projection iterative physiological
    unpaired paired prospective retrospective end systole diastole breathhold realtime ffe ir vm ssh tse
    tfe pos neg ecgt mag_prep irm combined ultravist
    """
)
"""Defined terms of DICOM and of vendors in coded entries."""

MAKERS = _listed(
    """
    siemens healthineers healthcare gmbh ag ge g e medical systems system philips best netherlands nederland toshiba
    tec canon hitachi fujifilm fuji corporation corp ltd inc co uih united imaging neusoft esaote bruker biospin
    agfa carestream shimadzu samsung mindray hyperfine paramed phantom cohortex acme devices avanto aera skyra
    prisma prismafit fit verio espree vida lumina sola altea amira essenza symphony sonata harmony concerto trio tim
    magnetom terra cima free max somatom definition as sensation emotion force drive edge flash confidence go
    perspective biograph vision mct mmr naeotom alpha symbia signa hdxt hdx hde excite artist explorer architect
    voyager pioneer premier creator discovery optima brivo mr revolution lightspeed brightspeed hispeed vct apex evo
    maxima light speed advance discoveryst iq mi dual achieva ingenia elition ambition prodiva multiva intera
    panorama gyroscan nt dstream brilliance ict iqon ingenuity big bore incisive access gemini vereos precedence
    vantage titan galan orian elan excelart aquilion prime one genesis precision aquarius lightning epiq affiniti
    logiq vivid millennium xeleris rhapsode airis echelon oval oasis supria scenaria aperto umr uct upmr umi
    uexplorer omega jupiter syngo software release version lx hd dv ed rx vb va vd ve xa r v m esb numaris nx
    windows build sp hf aw imitated like generic model
    """
)
"""Makers, models and their software."""

AGENTS = _listed(
    """
    gadovist gadavist gadobutrol dotarem clariscan gadoteric gadoterate gadoterat acid acido meglumine prohance
    gadoteridol omniscan gadodiamide magnevist gadopentetate gadopentetic multihance gadobenate primovist eovist
    gadoxetate vueway elucirem gadopiclenol optimark artirem gadolinio gadolinium gd dtpa dota hp do3a bopta
    contrast agent media medium mdc mezzo kontrastmittel km kontrast iv oral ml cc mmol mg kg mgi i iodine iodinated
    iodio iodato ultravist iopromide iomeron iomeprol omnipaque iohexol visipaque iodixanol isovue iopamidol
    iopamiro xenetix iobitridol optiray ioversol optiject feraheme ferumoxytol yes no none n false
    fluorodeoxyglucose fdg fluoro deoxyglucose glucose f f18 18f c11 11c n13 o15 o water fluorine carbon oxygen
    florbetapir florbetaben flutemetamol amyvid neuraceq vizamyl methionine fet fdopa dopa fluorodopa flt psma pib
    ga68 68ga dotatate dotatoc dotanoc tau flortaucipir solution
    """
)
"""Contrast agents and tracers."""

UNITS = _listed(
    """
    1 m mm um nm cm s ms us min h d g kg mg ug ng L l ml mL dl dL mol mmol umol Bq kBq MBq Gy mGy cGy keV Hz kHz MHz T
    mT uT ppm rad deg K Cel N kPa Pa mW W ratio counts normalized SUVbw SUVlbm SUVbsa SUVibw cnt propcounts relative
    """
)
"""Atoms of units, as UCUM writes them."""
